"""How good the colours are: protocol as code, metrics, methods as rows, tables and a gallery."""
