"""One run of a tool: from arguments as JSON to an answer, or to a Failure, whatever the function does.

In a component an uncaught exception is a trap, of which the caller learns nothing; here none is left uncaught.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import TypeVar

from .content import Output, answered
from .failure import Failure
from .host import Context
from .shapes import Mismatch
from .tools import Tool

T = TypeVar("T")


def run(tool: Tool, arguments_json: str, context: Context) -> Output:
    """The answer of a tool. Raises Failure, and whatever else the function raises."""
    try:
        arguments = tool.arguments.read(json.loads(arguments_json), "")
    except (Mismatch, ValueError) as mismatch:
        raise Failure.invalid(str(mismatch)) from mismatch
    if tool.context_name is not None:
        arguments[tool.context_name] = context
    return answered(tool.function(**arguments))


def find(tools: Sequence[Tool], name: str) -> Tool:
    """The tool of that name. Raises Failure where there is none."""
    for tool in tools:
        if tool.listing.name == name:
            return tool
    raise Failure("unsupported", f"this plugin has no tool {name!r}")


def guarded(work: Callable[[], T]) -> T:
    """What `work` gives. Of any exception that is no Failure one is made, of its class and message; where it came from
    goes to stderr, which is the plugin's log."""
    try:
        return work()
    except Failure:
        raise
    except BaseException as error:  # sys.exit() too.
        log(error)
        raise Failure("failed", words(error)) from None


def words(error: BaseException) -> str:
    """The class and the message of an exception, whose `__str__` may be wrong itself."""
    try:
        message = str(error)
    except Exception:
        message = ""
    name = type(error).__name__
    return f"{name}: {message}" if message else name


def log(error: BaseException) -> None:
    """Writes where an exception came from to stderr, as far as that can be done."""
    try:
        traceback.print_exception(error, file=sys.stderr)
        sys.stderr.flush()
    except Exception:
        pass
