"""The command line: one command a file, the same functions as the workflow's rules."""

from pacbed.cli.application import app, main, run

__all__ = ["app", "main", "run"]
