"""The published Python clients, behind one face."""

import contextlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import anyio
import anyio.abc
import mcp_types as types
from mcp import Client, MCPError, StdioServerParameters

MODES = {"legacy": "legacy", "modern": "auto"}
URL_REQUIRED = -32042
TIMEOUT_S = 60


@dataclass
class Answer:
    """What a call came to."""

    text: str
    error: bool
    payment: dict[str, Any] | None = None
    url_required: str | None = None


class Side:
    """One client. Whoever uses it sets what its user does."""

    on_form: Callable[[str], Awaitable[bool]]
    on_link: Callable[[str], Awaitable[bool]]
    on_progress: Callable[[str], Awaitable[None]]
    package: str

    def __init__(self, era: str, shows: set[str], transport: str, target: list[str]) -> None:
        self.era = era
        self.shows = shows
        self.version = f"{self.package} {version(self.package)}"
        self.change = anyio.Event()
        callback = self.elicit if {"links", "forms"} <= shows else None
        self.client = self.make(MODES[era], callback, transport, target)

    def make(self, mode: str, elicit: Any, transport: str, target: list[str]) -> Any:
        raise NotImplementedError

    async def changed(self, within_s: float) -> bool:
        """Whether the server says that its list changed, since this was asked last."""
        with anyio.move_on_after(within_s):
            await self.change.wait()
        heard = self.change.is_set()
        self.change = anyio.Event()
        return heard

    async def hear(self, message: Any) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self.change.set()

    async def show_progress(self, done: float, total: float | None, message: str | None) -> None:
        await self.on_progress(message or "")

    async def consent(self, params: Any) -> types.ElicitResult:
        if isinstance(params, types.ElicitRequestURLParams):
            accepted, content = await self.on_link(params.url), None
        else:
            accepted, content = await self.on_form(params.message), filled(params.requested_schema)
        return types.ElicitResult(action="accept" if accepted else "decline", content=content if accepted else None)

    def refused(self, error: MCPError) -> Answer:
        url = None
        if error.error.code == URL_REQUIRED:
            url = error.error.data["elicitations"][0]["url"]
        return Answer(error.error.message, True, url_required=url)


class Official(Side):
    """pip `mcp`."""

    package = "mcp"

    def make(self, mode: str, elicit: Any, transport: str, target: list[str]) -> Any:
        server: Any = target[0]
        if transport == "stdio":
            server = StdioServerParameters(command=target[0], args=target[1:], env=dict(os.environ))
        return Client(
            server, mode=mode, elicitation_callback=elicit, message_handler=self.hear, read_timeout_seconds=TIMEOUT_S
        )

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        async with self.client, anyio.create_task_group() as group:
            self.protocol = self.client.protocol_version
            if self.era == "modern" and "lists" in self.shows:
                await group.start(self.listen)
            yield
            group.cancel_scope.cancel()

    async def listen(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        """In the modern era changes are told on a stream that the client opens."""
        async with self.client.listen(tools_list_changed=True) as subscription:
            task_status.started()
            async for _ in subscription:
                self.change.set()

    async def elicit(self, context: Any, params: Any) -> types.ElicitResult:
        return await self.consent(params)

    async def tools(self) -> list[str]:
        return [tool.name for tool in (await self.client.list_tools()).tools]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Answer:
        progress = self.show_progress if "progress" in self.shows else None
        try:
            result = await self.client.call_tool(tool, arguments, progress_callback=progress)
        except MCPError as error:
            return self.refused(error)
        return answer(result.content, result.structured_content, result.meta, result.is_error)


class Fast(Side):
    """pip `fastmcp`."""

    package = "fastmcp"

    def make(self, mode: str, elicit: Any, transport: str, target: list[str]) -> Any:
        import fastmcp
        from fastmcp.client.transports import StdioTransport

        server: Any = target[0]
        if transport == "stdio":
            server = StdioTransport(command=target[0], args=target[1:], env=dict(os.environ))
        return fastmcp.Client(
            server, mode=mode, elicitation_handler=elicit, message_handler=self.hear, timeout=TIMEOUT_S
        )

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        async with self.client:
            self.protocol = self.client.session.protocol_version
            yield

    async def elicit(self, message: str, response_type: Any, params: Any, context: Any) -> types.ElicitResult:
        return await self.consent(params)

    async def tools(self) -> list[str]:
        return [tool.name for tool in await self.client.list_tools()]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Answer:
        progress = self.show_progress if "progress" in self.shows else None
        try:
            result = await self.client.call_tool(tool, arguments, progress_handler=progress, raise_on_error=False)
        except MCPError as error:
            return self.refused(error)
        return answer(result.content, result.structured_content, result.meta, result.is_error)


SIDES: dict[str, type[Side]] = {"mcp": Official, "fastmcp": Fast}


def answer(content: list[Any], structured: Any, meta: Any, is_error: bool) -> Answer:
    text = "\n".join(block.text for block in content if block.type == "text")
    objects = [(meta or {}).get("coinop/payment"), structured]
    payment = next((o for o in objects if isinstance(o, dict) and "payment_url" in o), None)
    return Answer(text, bool(is_error), json.loads(json.dumps(payment)))


def filled(schema: dict[str, Any]) -> dict[str, Any]:
    """A form filled in by somebody who agrees with everything."""
    values = {}
    for name, field in schema.get("properties", {}).items():
        choices = field.get("enum") or [choice["const"] for choice in field.get("oneOf", [])]
        values[name] = choices[0] if choices else field.get("type") == "boolean" or "yes"
    return values
