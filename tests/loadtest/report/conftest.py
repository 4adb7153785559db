"""Pictures, drawn once: tests of the report make the same ones of the same made-up run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import vl_convert


@pytest.fixture(scope="session", autouse=True)
def _drawn_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("vegalite_to_svg", "svg_to_png"):
            patch.setattr(vl_convert, name, remembering(getattr(vl_convert, name)))
        yield


def remembering(draw: Callable[..., Any]) -> Callable[..., Any]:
    """The same, but what was drawn already is not drawn again."""
    known: dict[str, Any] = {}

    def drawn(what: Any, **options: Any) -> Any:
        key = json.dumps([what, options], default=repr)
        if key not in known:
            known[key] = draw(what, **options)
        return known[key]

    return drawn
