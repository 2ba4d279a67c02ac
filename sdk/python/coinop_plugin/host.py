"""What the host gives a run: context, progress, settings, meter, and somebody who sends requests.

In a component `export` puts the real host here, in tests `testing.Host` a made-up one; without either nobody listens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from .failure import Failure

ANSWER_BYTES_MAX = 4 << 20
"""The longest answer of a service that is read where nobody says another: 4 MiB."""


@dataclass(frozen=True)
class Context:
    """What the host tells a run; a parameter with this hint gets it.

    Nothing about payment: neither who pays nor how.
    """

    call_id: str = ""
    """The same when a run is started again, so it serves as an idempotency key towards other services."""
    remaining_ms: int = 0
    """Milliseconds of wall-clock time left when the run starts."""
    caller: str | None = None
    """A pseudonym of the caller, where the operator gives it."""


@dataclass(frozen=True)
class Request:
    """An outgoing HTTP request."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: bytes
    answer_bytes_max: int = ANSWER_BYTES_MAX


@dataclass(frozen=True)
class RawResponse:
    """What a service answered: the names of headers in lower case."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


class Host(Protocol):
    """What stands behind the functions of this module."""

    def setting(self, key: str) -> str | None: ...

    def progress(self, done: float, total: float | None, message: str | None) -> None: ...

    def meter(self, unit: str, count: int) -> bool: ...

    def fetch(self, request: Request) -> RawResponse: ...


class Nobody:
    """No host."""

    def setting(self, key: str) -> str | None:
        return None

    def progress(self, done: float, total: float | None, message: str | None) -> None:
        pass

    def meter(self, unit: str, count: int) -> bool:
        return True

    def fetch(self, request: Request) -> RawResponse:
        raise Failure("unavailable", "there is no host to send requests")


_host: Host = Nobody()


def current() -> Host:
    """The host at the moment."""
    return _host


def install(host: Host) -> Host:
    """Puts a host in place, and gives the one before it."""
    global _host
    before, _host = _host, host
    return before


def setting(key: str, default: str | None = None) -> str | None:
    """What the operator has set as `key` for this plugin. It may be secret: never put it into an answer."""
    value = _host.setting(key)
    return default if value is None else value


def required_setting(key: str) -> str:
    """As `setting`, for what the tool cannot do without: raises a Failure that names the key where it is not set."""
    value = _host.setting(key)
    if value is None:
        raise Failure("failed", f"the operator of this tool has not set {key!r}")
    return value


def progress(done: float, total: float | None = None, message: str | None = None) -> None:
    """Tells the caller how far the run is.

    `done` grows with every report; `total`, once known, is where it ends. Any unit. Never waits, never fails.
    """
    _host.progress(float(done), None if total is None else float(total), message)


def meter(unit: str, count: int) -> bool:
    """Counts `count` of `unit`, for metered prices; under any other price it charges nothing.

    False says that the call has reached the most it may cost: stop and answer with what there is. Raises Failure where
    the price counts something else.
    """
    return _host.meter(unit, count)
