"""Write docs/published.md anew, from the experiments and from what was measured last."""

from __future__ import annotations

from loadtest.report.published import document
from loadtest.system.paths import ROOT


def main() -> None:
    """Write the page where it differs."""
    path, text = ROOT / document.TOLD_IN, document.of_repository()
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
        print(f"written: {document.TOLD_IN}")


if __name__ == "__main__":
    main()
