"""Tools: the decorator, and what is known of a function that has it. What a run does is in `run`."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, TypeVar

from .hints import Hints, input_schema, output_schema
from .host import Context
from .shapes import JSON, Record

Function = TypeVar("Function", bound=Callable[..., Any])

Effects = Literal["unspecified", "pure", "idempotent", "effectful"]
"""What one run changes outside the plugin, which decides whether a run that was cut short is started again: `pure`,
nothing; `idempotent`, a second run with the same call id changes nothing more; `effectful`, a second run does it twice.
"""

_LISTING = "__coinop_listing__"
"""The function's attribute that holds what the decorator was told."""


@dataclass(frozen=True)
class Listing:
    """What the decorator was told."""

    name: str
    title: str | None
    description: str
    price: tuple[str, str] | None
    """Amount and currency; an amount of `"0"` is free, and None leaves it to the operator."""
    effects: Effects
    read_only: bool | None
    destructive: bool | None
    idempotent: bool | None
    open_world: bool | None


@dataclass(frozen=True)
class Tool:
    """A function that callers buy."""

    listing: Listing
    function: Callable[..., Any]
    arguments: Record
    context_name: str | None
    """The parameter that gets the context."""
    input_schema: JSON
    output_schema: JSON | None


def tool(
    *,
    price: str | None = None,
    name: str | None = None,
    title: str | None = None,
    description: str | None = None,
    effects: Effects = "unspecified",
    read_only: bool | None = None,
    destructive: bool | None = None,
    idempotent: bool | None = None,
    open_world: bool | None = None,
) -> Callable[[Function], Function]:
    """Makes a function a tool: `@tool(price="0.10 USD")`. The function itself stays as it is.

    `price` is an amount and a currency, or "free"; without one the operator says, and until then the tool is not
    listed. The function's name and docstring are what callers see unless `name` and `description` say else; its
    parameters with their hints are the input schema. `effects` tells what a run changes outside the plugin; the rest
    are hints for clients.
    """
    if effects not in typing.get_args(Effects):
        raise ValueError(f"effects={effects!r}: there are {', '.join(typing.get_args(Effects))}")
    if effects == "pure" and read_only is None:
        read_only = True
    sold_for = _price(price)

    def mark(function: Function) -> Function:
        called = name or function.__name__
        told = description or inspect.getdoc(function)
        if not told:
            raise TypeError(f"the tool {called} has no description: write a docstring for the model that chooses tools")
        if inspect.iscoroutinefunction(function):
            raise TypeError(f"the tool {called} is async: tools are plain functions")
        listing = Listing(called, title, told, sold_for, effects, read_only, destructive, idempotent, open_world)
        vars(function)[_LISTING] = listing
        return function

    return mark


def _price(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    if text == "free":
        return "0", ""
    found = re.fullmatch(r"(\d+(?:\.\d{1,9})?) ([A-Z][A-Z0-9]*)", text)
    if not found or not found[1].strip("0."):
        raise ValueError(f'price={text!r}: write an amount and a currency, such as "0.10 USD", or "free"')
    return found[1], found[2]


def found_in(*modules: ModuleType) -> list[Tool]:
    """The tools of these modules, in the order they are written.

    Raises TypeError for a tool whose hints have no JSON Schema, and where there is none at all.
    """
    functions: list[Any] = []
    for module in modules:
        for value in vars(module).values():
            if hasattr(value, _LISTING) and value not in functions:
                functions.append(value)
    if not functions:
        raise TypeError(f"no function of {', '.join(module.__name__ for module in modules)} has @tool")
    return [described(function) for function in functions]


def described(function: Any) -> Tool:
    """What is known of one function that has the decorator."""
    listing: Listing = getattr(function, _LISTING)
    try:
        hints = typing.get_type_hints(function, include_extras=True)
        context_name = next((name for name, hint in hints.items() if hint is Context and name != "return"), None)
        arguments = Hints().arguments(function, context_name)
        return Tool(
            listing, function, arguments, context_name, input_schema(arguments), output_schema(hints.get("return"))
        )
    except (TypeError, NameError) as error:
        raise TypeError(f"the tool {listing.name}: {error}") from error
