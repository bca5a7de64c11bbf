"""The blocks of the K210, one a file: registers by offset, named as in the vendor's SDK (its headers are the source)."""
