"""What a tool gives back, and how what a function returned becomes that."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Union


@dataclass(frozen=True)
class Image:
    """A picture: the file's bytes and their media type, such as `image/png`."""

    data: bytes
    mime_type: str


@dataclass(frozen=True)
class Audio:
    """A sound: the file's bytes and their media type, such as `audio/wav`."""

    data: bytes
    mime_type: str


@dataclass(frozen=True)
class Resource:
    """A resource carried in the answer, as text or bytes."""

    uri: str
    body: str | bytes
    mime_type: str | None = None


@dataclass(frozen=True)
class ResourceLink:
    """A pointer to a resource that the client may read itself."""

    uri: str
    name: str
    description: str | None = None
    mime_type: str | None = None


Content = Union[str, Image, Audio, Resource, ResourceLink]
"""One block of an answer."""

_BLOCKS = (str, Image, Audio, Resource, ResourceLink)


@dataclass
class Output:
    """A whole answer. It is delivered and charged, also with `is_error`.

    `is_error` says that something is wrong, such as a city that does not exist; for work that could not be done raise
    `Failure`, which is not charged.
    """

    content: list[Content] = field(default_factory=list)
    structured: Any = None
    """A JSON object: a dict, a dataclass or None."""
    is_error: bool = False

    @property
    def text(self) -> str:
        """Its text blocks, a line each."""
        return "\n".join(block for block in self.content if isinstance(block, str))


def answered(value: Any) -> Output:
    """The answer that a function's return value is.

    A str is text, a dict or dataclass is structured, `Image` and its like are content, a number its text; a list or
    tuple is all of its items, of which at most one is structured.

    Raises TypeError or ValueError for what cannot be an answer.
    """
    if isinstance(value, Output):
        structured = None if value.structured is None else _object(value.structured)
        return dataclasses.replace(value, structured=structured)
    output = Output()
    for item in value if isinstance(value, (list, tuple)) else [value]:
        if isinstance(item, _BLOCKS):
            output.content.append(item)
        elif isinstance(item, (int, float)):
            output.content.append(str(plain(item)))
        elif output.structured is None:
            output.structured = _object(item)
        else:
            raise TypeError("an answer has one structured part: put the others into it")
    if not output.content and output.structured is None:
        raise ValueError("the tool answered nothing")
    return output


def _object(value: Any) -> dict[str, Any]:
    data = plain(value)
    if not isinstance(data, dict):
        raise TypeError(f"a tool cannot answer with {type(value).__name__}: it is neither content nor a JSON object")
    return data


def plain(value: Any) -> Any:
    """`value` as JSON knows it: dataclasses and mappings are objects, enum members are their values.

    Raises TypeError or ValueError for what JSON cannot say.
    """
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is no JSON number")
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, (type, *_BLOCKS)):
        return {entry.name: plain(getattr(value, entry.name)) for entry in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _key(key: Any) -> str:
    text = plain(key)
    if not isinstance(text, str):
        raise TypeError(f"the key {key!r} is no string")
    return text
