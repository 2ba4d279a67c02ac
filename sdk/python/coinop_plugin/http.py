"""HTTP requests, one at a time: to what the operator grants in `[plugins.NAME.grants]`, and to nothing else.

The plugin is built for the world `plugin-with-http`. A request waits for its whole answer, redirects are answers like
any other, and the answer's size is bounded.
"""

from __future__ import annotations

import json as json_text
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from . import host
from .failure import Failure
from .host import ANSWER_BYTES_MAX


@dataclass(frozen=True)
class Response:
    """A service's answer."""

    status: int
    """Such as 200."""
    headers: dict[str, str]
    """By name in lower case; several of one name are joined with commas."""
    body: bytes

    def success(self) -> Response:
        """This answer if its status is 200 to 299. Raises Failure, `unavailable`, for any other: the service is at
        fault more often than the caller."""
        if 200 <= self.status < 300:
            return self
        raise Failure.unavailable(f"the service this tool asks answered with status {self.status}")

    def text(self) -> str:
        """The body as text; what is not UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises Failure where it is something else."""
        try:
            return json_text.loads(self.body.decode().removeprefix("\ufeff"))
        except ValueError as error:
            raise Failure("failed", "the service this tool asks answered with something else than JSON") from error


def fetch(
    url: str,
    *,
    method: str = "GET",
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes | str = b"",
    json: Any = None,
    answer_bytes_max: int = ANSWER_BYTES_MAX,
) -> Response:
    """Sends a request and waits for its whole answer, whose status is for the caller to look at.

    `query` is added to the URL, encoded. `json` is sent as the body with its content type. An answer of more than
    `answer_bytes_max` bytes is a failure.

    Raises Failure: `denied` where the operator has not granted it, `timed-out` or `unavailable` where there is no
    answer, `failed` for a URL that is none.
    """
    sent = list((headers or {}).items())
    if query:
        url += ("&" if "?" in url else "?") + urlencode(query)
    if json is not None:
        body = json_text.dumps(json, ensure_ascii=False)
        sent.append(("content-type", "application/json"))
    data = body.encode() if isinstance(body, str) else body
    raw = host.current().fetch(host.Request(method.upper(), url, sent, data, answer_bytes_max))
    received: dict[str, str] = {}
    for name, value in raw.headers:
        received[name.lower()] = f"{received[name.lower()]}, {value}" if name.lower() in received else value
    return Response(raw.status, received, raw.body)
