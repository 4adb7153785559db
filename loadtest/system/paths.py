"""Where the lab's files are."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(os.environ.get("LAB_ROOT", Path(__file__).resolve().parents[2]))
LOCUSTFILE = ROOT / "loadtest" / "generator" / "locustfile.py"
