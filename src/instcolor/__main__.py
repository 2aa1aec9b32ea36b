"""`python -m instcolor` is the command line."""

from .cli import main

main()
