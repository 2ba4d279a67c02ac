"""For a plugin's own tests: a made-up host, and calls as the host makes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from . import host
from .content import Output
from .failure import Failure
from .host import Context, RawResponse, Request
from .run import guarded, run
from .tools import described


class Host:
    """A host for the time of a `with` block: with settings, and with services that answer.

    `answer` gets every request that `http.fetch` sends: a function, such as `lambda request: RawResponse(200,
    body=b"{}")`. `reports` is what the tool told of its progress.
    """

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        answer: Callable[[Request], RawResponse] | None = None,
    ) -> None:
        self._settings = dict(settings or {})
        self._answer = answer
        self._before: host.Host | None = None
        self.requests: list[Request] = []
        self.reports: list[tuple[float, float | None, str | None]] = []

    def setting(self, key: str) -> str | None:
        return self._settings.get(key)

    def progress(self, done: float, total: float | None, message: str | None) -> None:
        self.reports.append((done, total, message))

    def meter(self, unit: str, count: int) -> bool:
        return True

    def fetch(self, request: Request) -> RawResponse:
        self.requests.append(request)
        if self._answer is None:
            raise Failure("denied", f"this test grants no requests, and there is one to {request.url}")
        return self._answer(request)

    def __enter__(self) -> Host:
        self._before = host.install(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            host.install(self._before)


def call(function: Callable[..., Any], arguments: Mapping[str, Any], context: Context | None = None) -> Output:
    """Calls a tool as the host does, from JSON arguments to the answer. Raises Failure as the caller would see it."""
    tool = described(function)
    return guarded(lambda: run(tool, json.dumps(dict(arguments)), context or Context("test", 10_000)))
