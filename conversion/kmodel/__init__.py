"""kmodel files and the KPU's registers: reading nncase's V5, planning KPU RAM, writing and reading V3."""
