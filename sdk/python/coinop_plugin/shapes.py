"""Shapes: what a type hint means, as JSON Schema and as a reader of JSON values.

Each shape has the two methods, so that what is published and what is accepted are one thing. `hints` makes shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]


class Mismatch(Exception):
    """A value does not have its shape; the message names the place."""


class Definitions:
    """Writes the records of one schema: in their places, except those that contain themselves, which are `$defs`."""

    def __init__(self) -> None:
        self.bodies: JSON = {}
        self._open: list[int] = []
        self._names: dict[int, str] = {}

    def written(self, record: Record) -> JSON:
        """A record's schema, or what points to it."""
        if id(record) in self._open:
            return {"$ref": f"#/$defs/{self._name(record)}"}
        self._open.append(id(record))
        body = record.body(self)
        self._open.pop()
        if id(record) not in self._names:
            return body
        name = self._name(record)
        self.bodies[name] = body
        return {"$ref": f"#/$defs/{name}"}

    def _name(self, record: Record) -> str:
        if id(record) not in self._names:
            name = record.name
            while name in self._names.values():
                name += "_"
            self._names[id(record)] = name
        return self._names[id(record)]


class Shape:
    """Any value: the shape of `Any`."""

    def schema(self, definitions: Definitions) -> JSON:
        """Its JSON Schema."""
        return {}

    def read(self, value: Any, at: str) -> Any:
        """The Python value of a JSON value. `at` is its place, for the message of Mismatch."""
        return value


@dataclass
class Scalar(Shape):
    """A string, number, boolean or null."""

    kind: type

    def schema(self, definitions: Definitions) -> JSON:
        return {"type": _SCALARS[self.kind][0]}

    def read(self, value: Any, at: str) -> Any:
        if self.kind is int and isinstance(value, float) and value.is_integer():
            return int(value)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if self.kind is float and is_number:
            return float(value)
        # To Python, True is an int.
        if not isinstance(value, self.kind) or (self.kind is int and not is_number):
            raise Mismatch(f"`{at}` is not {_SCALARS[self.kind][1]}")
        return value


_SCALARS = {
    str: ("string", "a string"),
    int: ("integer", "an integer"),
    float: ("number", "a number"),
    bool: ("boolean", "true or false"),
    type(None): ("null", "null"),
}


@dataclass
class Array(Shape):
    """A list; `make` turns it into what the hint says, such as tuple."""

    items: Shape
    make: Callable[[list[Any]], Any] = list

    def schema(self, definitions: Definitions) -> JSON:
        unique = {"uniqueItems": True} if self.make in (set, frozenset) else {}
        return {"type": "array", "items": self.items.schema(definitions)} | unique

    def read(self, value: Any, at: str) -> Any:
        if not isinstance(value, list):
            raise Mismatch(f"`{at}` is not a list")
        return self.make([self.items.read(item, f"{at}[{index}]") for index, item in enumerate(value)])


@dataclass
class Map(Shape):
    """An object of any keys."""

    values: Shape

    def schema(self, definitions: Definitions) -> JSON:
        values = self.values.schema(definitions)
        return {"type": "object"} | ({"additionalProperties": values} if values else {})

    def read(self, value: Any, at: str) -> Any:
        if not isinstance(value, dict):
            raise Mismatch(f"`{at}` is not an object")
        return {key: self.values.read(item, f"{at}.{key}") for key, item in value.items()}


@dataclass
class Choice(Shape):
    """One of some values; each stands for what the function gets, such as an enum's member."""

    meanings: list[tuple[Any, Any]]

    def schema(self, definitions: Definitions) -> JSON:
        values = [value for value, _ in self.meanings]
        return ({"type": "string"} if all(isinstance(value, str) for value in values) else {}) | {"enum": values}

    def read(self, value: Any, at: str) -> Any:
        for known, meaning in self.meanings:
            if known == value and isinstance(known, bool) == isinstance(value, bool):
                return meaning
        raise Mismatch(f"`{at}` is none of {', '.join(repr(known) for known, _ in self.meanings)}")


@dataclass
class Either(Shape):
    """The first of several shapes that fits."""

    members: list[Shape]

    def schema(self, definitions: Definitions) -> JSON:
        return {"anyOf": [member.schema(definitions) for member in self.members]}

    def read(self, value: Any, at: str) -> Any:
        mismatches = []
        for member in self.members:
            try:
                return member.read(value, at)
            except Mismatch as mismatch:
                mismatches.append(str(mismatch))
        # `T | None`: what T says is the reason.
        telling = [words for words in mismatches if not words.endswith("is not null")]
        raise Mismatch(telling[0] if len(telling) == 1 else f"`{at}` has none of the forms it may have")


@dataclass
class Property:
    """One member of a record."""

    shape: Shape
    is_required: bool = True
    default: JSON = field(default_factory=dict)
    """`{"default": …}` where the schema tells one."""


@dataclass
class Record(Shape):
    """An object of known keys; `make` gets those that are there by name."""

    name: str
    make: Callable[..., Any]
    properties: dict[str, Property] = field(default_factory=dict)
    description: str | None = None
    is_closed: bool = True

    def schema(self, definitions: Definitions) -> JSON:
        return definitions.written(self)

    def body(self, definitions: Definitions) -> JSON:
        """Its schema itself."""
        body: JSON = {"type": "object"}
        if self.description:
            body["description"] = self.description
        body["properties"] = {
            name: entry.shape.schema(definitions) | entry.default for name, entry in self.properties.items()
        }
        required = [name for name, entry in self.properties.items() if entry.is_required]
        return body | ({"required": required} if required else {}) | self._closed()

    def _closed(self) -> JSON:
        return {"additionalProperties": False} if self.is_closed else {}

    def read(self, value: Any, at: str) -> Any:
        prefix = f"{at}." if at else ""
        if not isinstance(value, dict):
            raise Mismatch(f"`{at}` is not an object")
        values = {}
        for key, item in value.items():
            if key in self.properties:
                values[key] = self.properties[key].shape.read(item, prefix + key)
            elif self.is_closed:
                raise Mismatch(f"`{prefix}{key}` is not known")
            else:
                values[key] = item
        for name, entry in self.properties.items():
            if entry.is_required and name not in values:
                raise Mismatch(f"`{prefix}{name}` is missing")
        try:
            return self.make(**values)
        except ValueError as error:  # A dataclass that checks itself in __post_init__.
            raise Mismatch(f"`{at}`: {error}") from error
