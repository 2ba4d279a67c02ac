"""What type hints publish, and what they accept: one list of hints for both."""

from __future__ import annotations

import enum
import unittest
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NewType, Optional, TypedDict, Union

from coinop_plugin import Field, Image
from coinop_plugin.content import plain
from coinop_plugin.hints import Hints, output_schema
from coinop_plugin.shapes import Definitions, Mismatch


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    """A place."""

    x: float
    y: Annotated[float, "Up.", Field(ge=0)] = 1.5
    tags: list[str] = field(default_factory=list)


@dataclass
class Range:
    low: int
    high: int

    def __post_init__(self):
        if self.low > self.high:
            raise ValueError("`low` is more than `high`")


@dataclass
class Tree:
    value: int
    children: list[Tree] = field(default_factory=list)


@dataclass
class Measured:
    length: float
    area: float = field(init=False)

    def __post_init__(self):
        self.area = self.length**2


@dataclass(frozen=True)
class Cell:
    row: int


class Options(TypedDict, total=False):
    width: int


UserId = NewType("UserId", str)
POINT = {
    "type": "object",
    "description": "A place.",
    "properties": {
        "x": {"type": "number"},
        "y": {"type": "number", "minimum": 0, "description": "Up.", "default": 1.5},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["x"],
    "additionalProperties": False,
}


def schema(hint):
    return Hints().shape(hint).schema(Definitions())


def read(hint, value):
    return Hints().shape(hint).read(value, "it")


class Schemas(unittest.TestCase):
    def test_hints(self):
        for hint, expected in [
            (str, {"type": "string"}),
            (int, {"type": "integer"}),
            (float, {"type": "number"}),
            (bool, {"type": "boolean"}),
            (None, {"type": "null"}),
            (Any, {}),
            (list, {"type": "array", "items": {}}),
            (list[int], {"type": "array", "items": {"type": "integer"}}),
            (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
            (set[str], {"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
            (dict, {"type": "object"}),
            (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
            (Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
            (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
            (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
            (Literal[1, "b"], {"enum": [1, "b"]}),
            (Colour, {"type": "string", "enum": ["red", "blue"]}),
            (UserId, {"type": "string"}),
            (Point, POINT),
            (Options, {"type": "object", "properties": {"width": {"type": "integer"}}}),
            (
                Annotated[str, "A name.", Field(min_length=1, max_length=9, pattern="^a")],
                {"type": "string", "description": "A name.", "minLength": 1, "maxLength": 9, "pattern": "^a"},
            ),
            (
                Annotated[list[int], Field(min_length=1)],
                {"type": "array", "items": {"type": "integer"}, "minItems": 1},
            ),
            (
                Annotated[int, Field(gt=0, lt=9, le=8, multiple_of=2)],
                {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 9, "maximum": 8, "multipleOf": 2},
            ),
            (
                Annotated[list[int] | None, "Which.", Field(max_length=2)],
                {
                    "anyOf": [{"type": "array", "items": {"type": "integer"}, "maxItems": 2}, {"type": "null"}],
                    "description": "Which.",
                },
            ),
            (
                Annotated[int | str | dict[str, int], Field(ge=1, min_length=2)],
                {
                    "anyOf": [
                        {"type": "integer", "minimum": 1},
                        {"type": "string", "minLength": 2},
                        {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2},
                    ]
                },
            ),
            (Annotated[Any, Field(max_length=2)], {"maxLength": 2, "maxItems": 2, "maxProperties": 2}),
        ]:
            with self.subTest(hint=hint):
                self.assertEqual(schema(hint), expected)

    def test_a_bound_of_nothing_is_refused(self):
        for hint, words in [
            (Annotated[str, Field(ge=1)], "`ge`"),
            (Annotated[bool | None, Field(max_length=1)], "`max_length`"),
            (Annotated[list[str], Field(min_length=1, pattern="^a")], "`pattern`"),
        ]:
            with self.subTest(hint=hint), self.assertRaisesRegex(TypeError, words):
                schema(hint)

    def test_what_the_class_works_out_itself_is_told_and_not_taken(self):
        self.assertEqual(schema(Measured)["properties"], {"length": {"type": "number"}})
        told = output_schema(Measured)
        self.assertEqual(list(told["properties"]), list(plain(Measured(2.0))))
        self.assertEqual(told["required"], ["length", "area"])

    def test_what_contains_itself_is_written_once(self):
        tree = {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}},
            },
            "required": ["value"],
            "additionalProperties": False,
        }
        self.assertEqual(output_schema(Tree), tree | {"$defs": {"Tree": tree}})
        read_tree = read(Tree, {"value": 1, "children": [{"value": 2}]})
        self.assertEqual(read_tree, Tree(1, [Tree(2)]))

    def test_output_schemas_say_what_is_always_there(self):
        self.assertEqual(output_schema(tuple[str, Point]), POINT)
        self.assertEqual(output_schema(Annotated[Point, "A place."]), POINT)
        self.assertEqual(output_schema(dict[str, int])["additionalProperties"], {"type": "integer"})
        for hint in (None, str, dict, Image, list[Image], tuple[str, Image], Optional[Point], Point | Image):
            with self.subTest(hint=hint):
                self.assertIsNone(output_schema(hint))

    def test_unknown_hints_are_refused_by_name(self):
        for hint, words in [
            (bytes, "bytes"),
            (dict[int, str], "keys"),
            (tuple[int, str], "dataclass"),
            (list[complex], "complex"),
            (set[Point], "Point"),
            (set[Options], "Options"),
            (frozenset[list[int]], "list"),
            (set[dict[str, int]], "dict"),
            (set[int | Point], "Point"),
            (set[Any], "Any"),
            (set, "set"),
        ]:
            with self.subTest(hint=hint), self.assertRaisesRegex(TypeError, words):
                Hints().shape(hint)


class Reading(unittest.TestCase):
    def test_what_fits_is_converted(self):
        for hint, value, expected in [
            (int, 3.0, 3),
            (float, 3, 3.0),
            (Optional[int], None, None),
            (Union[int, str], "a", "a"),
            (Union[int, float], 1.5, 1.5),
            (Colour, "red", Colour.RED),
            (tuple[int, ...], [1, 2], (1, 2)),
            (set[str], ["a"], {"a"}),
            (set[Cell], [{"row": 1}], {Cell(1)}),
            (set[tuple[int, ...] | None], [[1], None], {(1,), None}),
            (set[Colour], ["red"], {Colour.RED}),
            (dict[str, Point], {"a": {"x": 1}}, {"a": Point(1.0)}),
            (Options, {"width": 1, "more": 2}, {"width": 1, "more": 2}),
            (Range, {"low": 1, "high": 2}, Range(1, 2)),
        ]:
            with self.subTest(hint=hint):
                got = read(hint, value)
                self.assertEqual((got, type(got)), (expected, type(expected)))

    def test_what_does_not_is_told_with_its_place(self):
        for hint, value, words in [
            (int, True, "`it` is not an integer"),
            (int, 1.5, "`it` is not an integer"),
            (bool, 1, "`it` is not true or false"),
            (str, None, "`it` is not a string"),
            (float, "1", "`it` is not a number"),
            (Optional[int], "a", "`it` is not an integer"),
            (Union[int, str], [], "`it` has none of the forms it may have"),
            (Literal[1, 2], True, "`it` is none of 1, 2"),
            (list[Point], [{"x": 1}, {}], "`it[1].x` is missing"),
            (Point, {"x": 1, "z": 1}, "`it.z` is not known"),
            (Point, {"x": 1, "y": -1}, "`it.y` is less than 0"),
            (Range, {"low": 2, "high": 1}, "`it`: `low` is more than `high`"),
            (Annotated[str, Field(pattern="^a", max_length=2)], "b", "`it` is not of the form ^a"),
            (Annotated[list[int], Field(min_length=1)], [], "`it` is shorter than 1"),
            (Annotated[list[int] | None, Field(max_length=1)], [1, 2], "`it` is longer than 1"),
            (Annotated[int, Field(multiple_of=2)], 3, "`it` is no multiple of 2"),
        ]:
            with self.subTest(hint=hint, value=value), self.assertRaises(Mismatch) as mismatch:
                read(hint, value)
            self.assertEqual(str(mismatch.exception), words)
