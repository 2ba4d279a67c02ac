"""From type hints to shapes."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from .bounds import Bounded, Field
from .content import plain
from .shapes import JSON, Array, Choice, Definitions, Either, Map, Property, Record, Scalar, Shape

_SCALARS = (str, int, float, bool, type(None))
_ARRAYS = (list, tuple, set, frozenset)


class Hints:
    """Shapes of type hints, where a class has one shape however often it is met, and may contain itself.

    With `is_answer` they are of what a function returns, which is written and never read.
    """

    def __init__(self, *, is_answer: bool = False) -> None:
        self._is_answer = is_answer
        self._records: dict[type, Record] = {}

    def shape(self, hint: Any) -> Shape:
        """The shape of a hint. Raises TypeError for one that JSON Schema does not know."""
        origin, arguments = get_origin(hint), get_args(hint)
        if hint is Any or hint is object:
            return Shape()
        if hint is None or hint in _SCALARS:
            return Scalar(type(None) if hint is None else hint)
        if origin is Annotated:
            return self._annotated(arguments[0], arguments[1:])
        if origin is Literal:
            return Choice([(plain(value), value) for value in arguments])
        if origin in (Union, types.UnionType):
            return Either([self.shape(member) for member in arguments])
        if (origin or hint) in _ARRAYS:
            return self._array(origin or hint, arguments)
        if (origin or hint) is dict:
            return self._map(arguments)
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            return Choice([(plain(member.value), member) for member in hint])
        if typing.is_typeddict(hint):
            return self._record(hint, self._typed_dict_members, make=dict)
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            return self._record(hint, self._dataclass_members, make=hint)
        if isinstance(hint, typing.NewType):
            return self.shape(hint.__supertype__)
        raise TypeError(f"{_shown(hint)} has no JSON Schema here")

    def arguments(self, function: Callable[..., Any], left_out: str | None) -> Record:
        """What a function takes, by keyword. `left_out` is a parameter that callers do not give."""
        hints = typing.get_type_hints(function, include_extras=True)
        record = Record(function.__name__, make=dict)
        for name, parameter in inspect.signature(function).parameters.items():
            if name == left_out:
                continue
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise TypeError(f"the parameter {name!r} cannot be given by name")
            if name not in hints:
                raise TypeError(f"the parameter {name!r} has no type hint")
            has_default = parameter.default is not parameter.empty
            record.properties[name] = Property(
                self._named(name, hints[name]), not has_default, _default(parameter.default) if has_default else {}
            )
        return record

    def _annotated(self, hint: Any, extras: tuple[Any, ...]) -> Shape:
        words = [extra for extra in extras if isinstance(extra, str)]
        shape = self.shape(hint)
        bounds = [extra for extra in extras if isinstance(extra, Field)] or [Field()]
        for bound in bounds:
            shape = Bounded(shape, words[0] if words else None, bound)
        return shape

    def _array(self, kind: type, arguments: tuple[Any, ...]) -> Shape:
        if kind is tuple and arguments[1:] != (...,) and arguments:
            raise TypeError("a tuple here is tuple[T, ...]: of other tuples make a dataclass")
        items = self.shape(arguments[0]) if arguments else Shape()
        if kind in (set, frozenset) and not self._is_answer and not _is_hashable(items):
            of = _shown(arguments[0]) if arguments else "Any"
            raise TypeError(f"a {kind.__name__} cannot hold every {of}: make it a list, or what it holds hashable")
        return Array(items, kind)

    def _map(self, arguments: tuple[Any, ...]) -> Shape:
        if arguments and arguments[0] is not str:
            raise TypeError("the keys of a dict here are str")
        return Map(self.shape(arguments[1]) if arguments else Shape())

    def _record(self, kind: type, members: Callable[[type], dict[str, Property]], make: Callable[..., Any]) -> Record:
        record = self._records.get(kind)
        if record is None:
            record = Record(kind.__name__, make, description=_own_words(kind), is_closed=make is not dict)
            self._records[kind] = record
            record.properties = members(kind)
        return record

    def _dataclass_members(self, kind: type) -> dict[str, Property]:
        hints = typing.get_type_hints(kind, include_extras=True)
        members = {}
        for entry in dataclasses.fields(kind):
            if not entry.init and not self._is_answer:
                continue
            has_value = entry.default is not dataclasses.MISSING
            is_required = not has_value and entry.default_factory is dataclasses.MISSING
            default = _default(entry.default) if has_value else {}
            members[entry.name] = Property(self._named(entry.name, hints[entry.name]), is_required, default)
        return members

    def _typed_dict_members(self, kind: type) -> dict[str, Property]:
        hints = typing.get_type_hints(kind, include_extras=True)
        members = {}
        for name, hint in hints.items():
            is_required = name in kind.__dict__["__required_keys__"]
            while (qualifier := getattr(get_origin(hint), "_name", None)) in ("Required", "NotRequired", "ReadOnly"):
                # Where annotations are text, the keys above do not know of these.
                is_required = {"Required": True, "NotRequired": False}.get(qualifier, is_required)
                (hint,) = get_args(hint)
            members[name] = Property(self._named(name, hint), is_required)
        return members

    def _named(self, name: str, hint: Any) -> Shape:
        try:
            return self.shape(hint)
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from error


def input_schema(arguments: Record) -> JSON:
    """The schema of what a function takes."""
    return _whole(arguments)


def output_schema(hint: Any) -> JSON | None:
    """The schema of the structured part of what a function returns, where the hint says that there always is one:
    a dataclass, a TypedDict or `dict[str, T]`, alone or in a tuple with content, such as `tuple[str, Report]`."""
    if get_origin(hint) is Annotated:
        return output_schema(get_args(hint)[0])
    if get_origin(hint) is tuple:
        found = [member for member in get_args(hint) if _is_structured(member)]
        return output_schema(found[0]) if len(found) == 1 else None
    if not _is_structured(hint):
        return None
    return _whole(Hints(is_answer=True).shape(hint))


def _whole(shape: Shape) -> JSON:
    """With the object at the top itself, and what it refers to below it."""
    definitions = Definitions()
    schema = shape.schema(definitions)
    if reference := schema.get("$ref"):
        schema = definitions.bodies[reference.rpartition("/")[2]]
    return schema | ({"$defs": definitions.bodies} if definitions.bodies else {})


def _is_structured(hint: Any) -> bool:
    if get_origin(hint) is dict:
        return True
    is_record = isinstance(hint, type) and dataclasses.is_dataclass(hint)
    return (is_record and hint.__module__ != plain.__module__) or typing.is_typeddict(hint)


def _is_hashable(shape: Shape) -> bool:
    """Whether a set can hold whatever is read of this shape."""
    if isinstance(shape, Bounded):
        return _is_hashable(shape.inner)
    if isinstance(shape, Either):
        return all(map(_is_hashable, shape.members))
    if isinstance(shape, Array):
        return shape.make is frozenset or (shape.make is tuple and _is_hashable(shape.items))
    if isinstance(shape, Record):
        return shape.make.__hash__ is not None
    return isinstance(shape, (Scalar, Choice))


def _own_words(kind: type) -> str | None:
    """The class's docstring, unless it is the one that `@dataclass` writes, which is its signature, or dict's."""
    words = kind.__dict__.get("__doc__")
    if not words or words.startswith(f"{kind.__name__}("):
        return None
    return inspect.cleandoc(words)


def _default(value: Any) -> JSON:
    try:
        return {"default": plain(value)}
    except (TypeError, ValueError):
        return {}


def _shown(hint: Any) -> str:
    return hint.__qualname__ if isinstance(hint, type) else str(hint)
