"""Bounds and descriptions: what `Annotated` says of a value besides its type."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import Any

from .shapes import JSON, Definitions, Mismatch, Shape


@dataclass(frozen=True, kw_only=True)
class Field:
    """What a value must be besides its type: `Annotated[int, "How many.", Field(ge=1, le=100)]`."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    multiple_of: float | None = None
    min_length: int | None = None
    """Of a string, characters; of a list, items; of a dict, members."""
    max_length: int | None = None
    """As `min_length`."""
    pattern: str | None = None
    """A regular expression that is found in the string, without look-around and back-references."""


@dataclass
class Bounded(Shape):
    """A shape with a description and bounds."""

    inner: Shape
    description: str | None
    bounds: Field

    def schema(self, definitions: Definitions) -> JSON:
        inner = self.inner.schema(definitions)
        words = {"description": self.description} if self.description else {}
        size = {"array": "Items", "object": "Properties"}.get(inner.get("type", "string"), "Length")
        said = {
            "minimum": self.bounds.ge,
            "exclusiveMinimum": self.bounds.gt,
            "maximum": self.bounds.le,
            "exclusiveMaximum": self.bounds.lt,
            "multipleOf": self.bounds.multiple_of,
            f"min{size}": self.bounds.min_length,
            f"max{size}": self.bounds.max_length,
            "pattern": self.bounds.pattern,
        }
        return inner | {key: value for key, value in said.items() if value is not None} | words

    def read(self, value: Any, at: str) -> Any:
        read = self.inner.read(value, at)
        for holds, words in _checks(self.bounds, value):
            if not holds:
                raise Mismatch(f"`{at}` is {words}")
        return read


def _checks(bounds: Field, value: Any) -> list[tuple[bool, str]]:
    """Each bound that says something of a value of this type, whether it holds, and the words where it does not."""
    checks = []
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        for bound, holds, words in (
            (bounds.ge, operator.ge, "less than"),
            (bounds.gt, operator.gt, "not more than"),
            (bounds.le, operator.le, "more than"),
            (bounds.lt, operator.lt, "not less than"),
        ):
            if bound is not None:
                checks.append((holds(value, bound), f"{words} {bound}"))
        # Of fractions the host alone judges: 0.3 % 0.1 is not 0.
        if isinstance(bounds.multiple_of, int) and isinstance(value, int):
            checks.append((value % bounds.multiple_of == 0, f"no multiple of {bounds.multiple_of}"))
    if isinstance(value, (str, list, dict)):
        if bounds.min_length is not None:
            checks.append((len(value) >= bounds.min_length, f"shorter than {bounds.min_length}"))
        if bounds.max_length is not None:
            checks.append((len(value) <= bounds.max_length, f"longer than {bounds.max_length}"))
    if isinstance(value, str) and bounds.pattern is not None:
        checks.append((re.search(bounds.pattern, value) is not None, f"not of the form {bounds.pattern}"))
    return checks
