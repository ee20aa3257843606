"""Run the command line: ``python -m lbsense``."""

from lbsense.cli import main

main()
