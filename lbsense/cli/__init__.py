"""The ``lbsense`` command: one module per command, each thin: parse, call, print."""

from lbsense.cli.app import app, main

__all__ = ["app", "main"]
