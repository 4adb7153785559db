"""Where commands write."""

from __future__ import annotations

import sys

from rich.console import Console

# A pipe has no width of its own, and tables folded at 80 columns are hard to read.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
