"""Where commands write."""

from __future__ import annotations

import sys

from rich.console import Console

# A pipe has no width of its own.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 80)
