"""The blocks of the K210, one a file: registers by offset as the vendor's SDK names them (its headers are the source)."""
