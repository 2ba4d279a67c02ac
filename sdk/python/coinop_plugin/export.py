"""The component's face: what `coinop:plugin` asks for, answered from tools. Imported in components alone."""

from __future__ import annotations

import io
import json
import sys
import traceback
from types import ModuleType
from typing import Any

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import meter, progress, settings
from wit_world.imports import tool_types as wit

from . import host
from .content import Audio, Content, Image, Output, Resource
from .failure import Failure
from .run import find, guarded, run
from .tools import Tool, found_in

try:
    from . import wasi_http
except ImportError:
    if "coinop_plugin.http" in sys.modules:
        raise ImportError(
            "coinop_plugin.http needs a world with HTTP: in plugin.toml, build for coinop:plugin/plugin-with-http"
        ) from None
    wasi_http = None

_FAILURES = {
    "invalid-arguments": wit.Failure_InvalidArguments,
    "failed": wit.Failure_Failed,
    "denied": wit.Failure_Denied,
    "timed-out": wit.Failure_TimedOut,
    "unsupported": wit.Failure_Unsupported,
}


class _WitHost:
    """The host behind the component's imports."""

    def setting(self, key: str) -> str | None:
        return settings.get(_utf8(key))

    def progress(self, done: float, total: float | None, message: str | None) -> None:
        progress.report(done, total, None if message is None else _utf8(message))

    def meter(self, unit: str, count: int) -> bool:
        try:
            meter.add(_utf8(unit), count)
        except Err as error:
            if isinstance(error.value, meter.Refusal_LimitReached):
                return False
            raise Failure("failed", f"{unit!r} is not what the price counts: {error.value.value}") from error
        return True

    def fetch(self, request: host.Request) -> host.RawResponse:
        if wasi_http is None:
            raise Failure("unsupported", "this plugin is built for a world without HTTP")
        return wasi_http.send(request)


def export(*modules: ModuleType) -> type:
    """The class that componentize-py looks for in `app.py`, of the tools of these modules: `Tools = export(tools)`.

    Raises TypeError where one of them cannot be described, which ends the build.
    """
    host.install(_WitHost())
    _warm_up()
    tools = found_in(*modules)
    listed = [_listed(tool) for tool in tools]

    class Tools(exports.Tools):
        def list_tools(self) -> list[wit.Tool]:
            return listed

        def call_tool(self, name: str, arguments_json: str, context: wit.Context) -> wit.Output:
            given = host.Context(context.call_id, context.remaining_ms, context.caller)
            _shuffle()
            try:
                return guarded(lambda: _told(run(find(tools, name), arguments_json, given)))
            except Failure as failure:
                raise Err(_failed(failure)) from None

    return Tools


def _warm_up() -> None:
    """Prints one traceback to nowhere: what is imported for that on first use would not be there at run time."""
    try:
        json.loads("")
    except ValueError as error:
        traceback.print_exception(error, file=io.StringIO())


def _shuffle() -> None:
    """Seeds the module `random` where the plugin uses it: its state is part of the snapshot, and every call would get
    the same numbers."""
    if random := sys.modules.get("random"):
        random.seed()


def _listed(tool: Tool) -> wit.Tool:
    listing = tool.listing
    return wit.Tool(
        name=listing.name,
        title=listing.title,
        description=listing.description,
        input_schema=_json(tool.input_schema),
        output_schema=None if tool.output_schema is None else _json(tool.output_schema),
        annotations=wit.Annotations(
            read_only=listing.read_only,
            destructive=listing.destructive,
            idempotent=listing.idempotent,
            open_world=listing.open_world,
        ),
        effects=wit.Effects[listing.effects.upper()],
        price=_price(listing.price),
        meta=None,
    )


def _price(price: tuple[str, str] | None) -> Any:
    if price is None:
        return None
    amount, currency = price
    return wit.Price_PerCall(wit.Money(amount, currency)) if currency else wit.Price_Free()


def _told(output: Output) -> wit.Output:
    return wit.Output(
        content=[_block(block) for block in output.content],
        structured=None if output.structured is None else _json(output.structured),
        is_error=output.is_error,
        meta=None,
    )


def _block(block: Content) -> Any:
    if isinstance(block, str):
        return wit.Content_Text(_utf8(block))
    if isinstance(block, Image):
        return wit.Content_Image(wit.Media(bytes(block.data), block.mime_type))
    if isinstance(block, Audio):
        return wit.Content_Audio(wit.Media(bytes(block.data), block.mime_type))
    if isinstance(block, Resource):
        body = (
            wit.ResourceBody_Text(_utf8(block.body))
            if isinstance(block.body, str)
            else wit.ResourceBody_Blob(bytes(block.body))
        )
        return wit.Content_EmbeddedResource(wit.EmbeddedResource(block.uri, block.mime_type, body))
    return wit.Content_ResourceLink(wit.ResourceLink(block.uri, block.name, block.description, block.mime_type))


def _failed(failure: Failure) -> Any:
    message = _utf8(failure.message)
    if failure.kind == "unavailable":
        return wit.Failure_Unavailable(wit.Unavailable(message, failure.retry_after_ms))
    return _FAILURES[failure.kind](message)


def _json(value: Any) -> str:
    return _utf8(json.dumps(value, ensure_ascii=False))


def _utf8(text: str) -> str:
    """Half a surrogate pair, which Python's strings can have and the host's cannot, becomes a question mark."""
    return text.encode("utf-8", "replace").decode()
