"""How good the colors are: protocol as code, metrics, methods as rows, tables and a gallery."""
