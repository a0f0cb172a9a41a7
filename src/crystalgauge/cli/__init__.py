"""The command line: one file per command, nothing heavy imported before it is needed."""

from crystalgauge.cli.app import app, main

__all__ = ["app", "main"]
