"""Sends requests over `wasi:http`. Imported in components alone, and of use where the world has HTTP."""

from __future__ import annotations

from typing import NoReturn
from urllib.parse import urlsplit

from componentize_py_types import Err
from wit_world.imports import outgoing_handler, streams

try:
    from wit_world.imports import types as http
except ImportError:  # Its name in worlds that have another interface called `types`.
    from wit_world.imports import wasi_http_types as http

from .failure import Failure
from .host import RawResponse, Request

_CHUNK = 4096
"""Bytes of one write: what `wasi:io` takes at once. Reads take more."""

_METHODS = {
    "GET": http.Method_Get,
    "HEAD": http.Method_Head,
    "POST": http.Method_Post,
    "PUT": http.Method_Put,
    "DELETE": http.Method_Delete,
    "CONNECT": http.Method_Connect,
    "OPTIONS": http.Method_Options,
    "TRACE": http.Method_Trace,
    "PATCH": http.Method_Patch,
}
_TIMEOUTS = (
    http.ErrorCode_ConnectionTimeout,
    http.ErrorCode_ConnectionReadTimeout,
    http.ErrorCode_ConnectionWriteTimeout,
    http.ErrorCode_DnsTimeout,
    http.ErrorCode_HttpResponseTimeout,
)


def send(request: Request) -> RawResponse:
    """Sends it and waits for the whole answer. Raises Failure where there is none."""
    url = urlsplit(request.url)
    if url.scheme not in ("http", "https") or not url.netloc or "@" in url.netloc:
        raise Failure("failed", f"{request.url!r} is no http or https URL")
    try:
        return _sent(request, _made(request), url.netloc)
    except Err as error:
        _fail(error.value, url.netloc)


def _made(request: Request) -> http.OutgoingRequest:
    url = urlsplit(request.url)
    try:
        made = http.OutgoingRequest(http.Fields.from_list([(name, value.encode()) for name, value in request.headers]))
        method = _METHODS.get(request.method)
        made.set_method(method() if method else http.Method_Other(request.method))
        made.set_scheme(http.Scheme_Https() if url.scheme == "https" else http.Scheme_Http())
        made.set_authority(url.netloc)
        made.set_path_with_query((url.path or "/") + (f"?{url.query}" if url.query else ""))
    except Err as error:
        raise Failure("failed", f"{request.url!r} cannot be asked for in this way") from error
    return made


def _sent(request: Request, made: http.OutgoingRequest, authority: str) -> RawResponse:
    outgoing = made.body()
    with outgoing_handler.handle(made, None) as future:
        if request.body:
            with outgoing.write() as stream:
                for start in range(0, len(request.body), _CHUNK):
                    stream.blocking_write_and_flush(request.body[start : start + _CHUNK])
        http.OutgoingBody.finish(outgoing, None)
        with future.subscribe() as answer:
            answer.block()
        result = future.get().value
        if isinstance(result, Err):
            raise result
        with result.value as response:
            with response.headers() as fields:
                headers = [(name, value.decode("utf-8", "replace")) for name, value in fields.entries()]
            return RawResponse(response.status(), headers, _read(response, request.answer_bytes_max, authority))


def _read(response: http.IncomingResponse, bytes_max: int, authority: str) -> bytes:
    body = bytearray()
    with response.consume() as incoming, incoming.stream() as stream:
        while True:
            try:
                body += stream.blocking_read(4 * _CHUNK)
            except Err as error:
                if isinstance(error.value, streams.StreamError_Closed):
                    return bytes(body)
                raise
            if len(body) > bytes_max:
                raise Failure("failed", f"{authority} answered with more than {bytes_max} bytes")


def _fail(code: object, authority: str) -> NoReturn:
    if isinstance(code, http.ErrorCode_HttpRequestDenied):
        raise Failure("denied", f"the operator of this tool has not granted requests to {authority}")
    if isinstance(code, _TIMEOUTS):
        raise Failure("timed-out", f"{authority} did not answer in time")
    reason = type(code).__name__.removeprefix("ErrorCode_")
    raise Failure.unavailable(f"{authority} cannot be reached ({reason})")
