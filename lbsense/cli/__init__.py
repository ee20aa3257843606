"""The ``lbsense`` command: one module per command, each thin: parse, call, print."""

from lbsense.cli.app import COMMANDS, app, main

__all__ = ["COMMANDS", "app", "main"]
