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
        bounds = {name: bound for name, bound in vars(self.bounds).items() if bound is not None}
        schema = _bounded(self.inner.schema(definitions), bounds, unsaid := set(bounds))
        if unsaid:
            raise TypeError(f"no value here has what `{min(unsaid)}` bounds")
        return schema | ({"description": self.description} if self.description else {})

    def read(self, value: Any, at: str) -> Any:
        read = self.inner.read(value, at)
        for holds, words in _checks(self.bounds, value):
            if not holds:
                raise Mismatch(f"`{at}` is {words}")
        return read


_NUMBER = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}
_KEYWORDS = {
    "integer": _NUMBER,
    "number": _NUMBER,
    "string": {"min_length": "minLength", "max_length": "maxLength", "pattern": "pattern"},
    "array": {"min_length": "minItems", "max_length": "maxItems"},
    "object": {"min_length": "minProperties", "max_length": "maxProperties"},
    "boolean": {},
    "null": {},
}
"""What the fields of `Field` are called for values of each type."""


def _bounded(schema: JSON, bounds: dict[str, Any], unsaid: set[str]) -> JSON:
    """The schema with the bounds where they say something; takes those from `unsaid`."""
    if members := schema.get("anyOf"):
        return schema | {"anyOf": [_bounded(member, bounds, unsaid) for member in members]}
    # Where the type is open, each keyword speaks of the values of its own type alone.
    types = [schema["type"]] if "type" in schema else _KEYWORDS
    said = [(name, keyword) for type_ in types for name, keyword in _KEYWORDS[type_].items() if name in bounds]
    unsaid.difference_update(name for name, _ in said)
    return schema | {keyword: bounds[name] for name, keyword in said}


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
