"""The KPU at register level: what a layer's twelve words do to the KPU's RAM, with what interrupts and when."""
