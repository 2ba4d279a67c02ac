"""Draws badges: a label beside a value, as SVG."""

from html import escape

_HEIGHT = 20
_LETTER = 7
"""Roughly the width of a letter."""
_MARGIN = 12


def badge_of(label: str, value: str) -> bytes:
    """The badge as an SVG file."""
    left, right = (len(text) * _LETTER + _MARGIN for text in (label, value))
    boxes = _box(0, left, "#555", label) + _box(left, right, "#2a7", value)
    size = f'width="{left + right}" height="{_HEIGHT}"'
    font = 'font-family="sans-serif" font-size="11" text-anchor="middle"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>{boxes}</svg>'.encode()


def _box(x: int, width: int, colour: str, text: str) -> str:
    words = f'<text x="{x + width / 2}" y="14" fill="#fff">{escape(text)}</text>'
    return f'<rect x="{x}" width="{width}" height="{_HEIGHT}" fill="{colour}"/>{words}'
