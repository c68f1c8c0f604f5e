"""`python -m cli` is the command `musc`."""

from cli.main import main

main()
