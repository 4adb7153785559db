"""Where commands write."""

from __future__ import annotations

import sys

from rich.console import Console

WIDTH = 80

# A pipe has no width of its own.
console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
