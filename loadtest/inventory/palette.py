"""One colour and one shape a service, the same in the report and on the dashboards."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

# Of Okabe and Ito's palette, made to be told apart with any colour vision
# (https://jfly.uni-koeln.de/color/), its light hues darkened until each stands out from white by
# 3:1 (WCAG 1.4.11); the second half extends it with hues of their own lightness.
COLOURS = {
    "fastapi-async": "#009E73",
    "flask-sync": "#D55E00",
    "flask-gthread": "#C98500",
    "fastapi-sync": "#3E9BD6",
    "fastapi-blocking": "#C0659A",
    "fastapi-processpool": "#0072B2",
    "starlette": "#85852C",
    "flask-gevent": "#A23B72",
    "django-gthread": "#8C6239",
    "django-asgi": "#E7298A",
    "node": "#808080",
    "go": "#7B6FD0",
    "asgi-raw": "#00696B",
    "wsgi-raw": "#8B1E1E",
    "flask-pydantic": "#4A4A9C",
    "flask-unchecked": "#5F7A00",
    "flask-async": "#E6003C",
    "quart": "#6C0CB4",
    "fastapi-gunicorn": "#2E7D32",
    "flask-asgi": "#1C4E80",
    "fastapi-hypercorn": "#546E7A",
    "fastapi-granian": "#B7410E",
    "fastapi-zttp": "#0097A7",
}

# A shape for each service: Vega's names where it has one, and the character for it in text.
SHAPES = {
    "circle": "●",
    "square": "■",
    "triangle-up": "▲",
    "diamond": "◆",
    "cross": "✚",
    "triangle-down": "▼",
    "triangle-right": "▶",
    "triangle-left": "◀",
    "star": "★",
    "hourglass": "⧗",
    "hexagon": "⬢",
    "pentagon": "⬟",
    "ring": "○",
    "frame": "▣",
    "chevron": "⌃",
    "tee": "┳",
    "bar": "▬",
    "pillar": "▮",
    "bowtie": "⋈",
    "half": "◗",
    "notch": "◪",
    "zed": "Ƶ",
    "arch": "∩",
}

# Those that Vega has no name for, as paths in a square from −1 to 1.
PATHS = {
    "star": "M0-1L.24-.32.95-.31.38.12.59.81 0 .4-.59.81-.38.12-.95-.31-.24-.32Z",
    "hourglass": "M-.85-.85H.85L-.85.85H.85Z",
    "hexagon": "M0-1L.87-.5V.5L0 1-.87.5V-.5Z",
    "pentagon": "M0-1L.95-.31.59.81-.59.81-.95-.31Z",
    "chevron": "M0-.9L.95.1V.85L0-.1-.95.85V.1Z",
    "frame": "M-.9-.9H.9V.9H-.9ZM-.4-.4V.4H.4V-.4Z",
    "tee": "M-1-.9H1V-.3H.3V.9H-.3V-.3H-1Z",
    "bar": "M-1-.4H1V.4H-1Z",
    "arch": "M-.9.9V0A.9.9 0 0 1 .9 0V.9H.4V0A.4.4 0 0 0-.4 0V.9Z",
    "pillar": "M-.4-1H.4V1H-.4Z",
    "bowtie": "M-1-.8V.8L0 0ZM1-.8V.8L0 0Z",
    "half": "M-.5-1A1 1 0 1 1-.5 1Z",
    "notch": "M-.9-.9H.9V.9L-.9-.9ZM-.9 0V.9H0Z",
    "zed": "M-.9-.9H.9V-.4L-.2.4H.9V.9H-.9V.4L.2-.4H-.9Z",
    "ring": "M-1 0A1 1 0 1 0 1 0A1 1 0 1 0-1 0ZM-.5 0A.5.5 0 1 1 .5 0A.5.5 0 1 1-.5 0Z",
}


def colour(service: str) -> str:
    """The service's colour as #RRGGBB; a service that the lab doesn't know keeps one of them for
    good.
    """
    return list(COLOURS.values())[_place(service)]


def shape(service: str) -> str:
    """The service's shape, one of `SHAPES`."""
    return list(SHAPES)[_place(service) % len(SHAPES)]


def places(services: Sequence[str]) -> list[int]:
    """Colours and shapes of services that are seen together, as places in `COLOURS`.

    Services that the lab doesn't know give way to each other, so that no two look alike.
    """
    found: dict[str, int] = {name: _place(name) for name in services if name in COLOURS}
    for name in services:
        place = _place(name)
        while name not in found and place in found.values() and len(found) < len(COLOURS):
            place = (place + 1) % len(COLOURS)
        found.setdefault(name, place)
    return [found[name] for name in services]


def glyph(service: str) -> str:
    """The character that looks like the service's shape."""
    return SHAPES[shape(service)]


def _place(service: str) -> int:
    if service in COLOURS:
        return list(COLOURS).index(service)
    return crc32(service.encode()) % len(COLOURS)
