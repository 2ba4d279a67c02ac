"""Why there is no answer: told to the caller, who is not charged."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal["invalid-arguments", "failed", "unavailable", "denied", "timed-out", "unsupported"]
"""
- `invalid-arguments`: they match the schema and are still wrong: say which one and why;
- `failed`: the tool could not do its work;
- `unavailable`: something it needs is not there at the moment;
- `denied`: the operator has not granted what it needs, or another service refused;
- `timed-out`: it ran out of time, on its own count;
- `unsupported`: this plugin cannot do what was asked, and never will.
"""


class Failure(Exception):
    """Raise it where there is no answer. The message reaches the caller: say what to do, and nothing secret.

    `retry_after_ms`, with `unavailable`, says after how many milliseconds trying again makes sense.
    """

    def __init__(self, kind: Kind, message: str, *, retry_after_ms: int | None = None) -> None:
        if kind not in get_args(Kind):
            raise ValueError(f"{kind!r} is no kind of failure: there are {', '.join(get_args(Kind))}")
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after_ms = retry_after_ms

    @classmethod
    def invalid(cls, message: str) -> Failure:
        """The arguments match the schema and are still wrong: say which one and why."""
        return cls("invalid-arguments", message)

    @classmethod
    def unavailable(cls, message: str, retry_after_ms: int | None = None) -> Failure:
        """Something the tool needs is not there at the moment."""
        return cls("unavailable", message, retry_after_ms=retry_after_ms)
