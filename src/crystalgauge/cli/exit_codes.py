"""What the exit status of every command says."""

from __future__ import annotations

OK = 0
SOME_FAILED = 1
"""Results are there, but some pictures are not among them."""
NOTHING_DONE = 2
"""No results: wrong arguments, an unknown model, no picture measured, nowhere to write."""
INTERRUPTED = 130
"""Stopped by Ctrl-C; finished work is kept (128 + SIGINT, as shells do)."""
