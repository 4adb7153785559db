"""One colour a row, the same in the report and on the dashboards."""

from __future__ import annotations

from zlib import crc32

# The first six are of Okabe and Ito's palette, made to be told apart with any colour vision
# (https://jfly.uni-koeln.de/color/); the others extend it with hues of their own lightness.
COLOURS = {
    "fastapi-async": "#009E73",
    "flask-sync": "#D55E00",
    "flask-gthread": "#E69F00",
    "fastapi-sync": "#56B4E9",
    "fastapi-blocking": "#CC79A7",
    "fastapi-processpool": "#0072B2",
    "starlette": "#999933",
    "flask-gevent": "#A23B72",
    "django-gthread": "#8C6239",
    "django-asgi": "#E7298A",
    "node": "#808080",
    "go": "#7B6FD0",
}


def colour(row: str) -> str:
    """The row's colour as #RRGGBB; a row that the lab doesn't know keeps one of them for good."""
    return COLOURS.get(row) or list(COLOURS.values())[crc32(row.encode()) % len(COLOURS)]
