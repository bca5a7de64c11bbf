"""The blocks of the K210, one a file: registers by offset, with the names of the vendor's SDK, their source."""
