"""An MCP client made of pip's `mcp`, told what to do line by line. See ../README.md.

usage: client.py legacy|modern http URL
       client.py legacy|modern stdio COMMAND [ARGUMENT...]
"""

import json
import os
import sys
from typing import Any

import anyio
import mcp_types as types
from mcp import Client, MCPError, StdioServerParameters

TOOLS_CHANGED = "notifications/tools/list_changed"

# "auto" discovers the modern era and would fall back: the test checks the version that "connected" tells.
MODES = {"legacy": "legacy", "modern": "auto"}


def tell(fact: str, **values: Any) -> None:
    print(json.dumps({"fact": fact, **values}), flush=True)


class Driver:
    """Performs what the test asks for, one line at a time."""

    def __init__(self, server: str | StdioServerParameters, era: str) -> None:
        self.era = era
        self.changed = anyio.Event()
        # A call that was cancelled would otherwise be waited for; no test takes this long.
        self.client = Client(server, mode=MODES[era], message_handler=self.hear, read_timeout_seconds=60)

    async def hear(self, message: Any) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self.changed.set()

    async def run(self) -> None:
        async with self.client, anyio.create_task_group() as group:
            tools = self.client.server_capabilities.tools
            if self.era == "modern" and tools is not None and tools.list_changed:
                await group.start(self.listen)
            tell("connected", version=self.client.protocol_version)
            async for line in anyio.wrap_file(sys.stdin):
                await self.perform(json.loads(line))
            group.cancel_scope.cancel()

    async def listen(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        """In the modern era changes are told on a stream that the client opens."""
        async with self.client.listen(tools_list_changed=True) as subscription:
            task_status.started()
            async for _ in subscription:
                self.changed.set()

    async def perform(self, order: dict[str, Any]) -> None:
        match order["do"]:
            case "list":
                await self.list()
            case "call":
                await self.call(order["tool"], order["arguments"])
            case "cancel":
                await self.cancel(order["tool"], order["arguments"])
            case "await_change":
                with anyio.fail_after(60):
                    await self.changed.wait()
                self.changed = anyio.Event()
                await self.list()
            case other:
                raise ValueError(f"unknown order {other}")

    async def list(self) -> None:
        listed = await self.client.list_tools()
        tell("listed", tools=[as_json(tool) for tool in listed.tools])

    async def call(self, tool: str, arguments: dict[str, Any]) -> None:
        progress: list[Any] = []

        async def hear(done: float, total: float | None, message: str | None) -> None:
            progress.append({"progress": done, "total": total, "message": message})

        try:
            result = await self.client.call_tool(tool, arguments, progress_callback=hear)
        except MCPError as error:
            tell("refused", error=as_json(error.error))
            return
        tell("answered", result=as_json(result), progress=progress)

    async def cancel(self, tool: str, arguments: dict[str, Any]) -> None:
        """Cancels the call at its first word of progress."""
        with anyio.CancelScope() as scope:

            async def hear(done: float, total: float | None, message: str | None) -> None:
                scope.cancel()

            await self.client.call_tool(tool, arguments, progress_callback=hear)
        tell("cancelled", early=scope.cancelled_caught)


def as_json(model: Any) -> Any:
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def main() -> None:
    era, transport, *target = sys.argv[1:]
    if transport == "http":
        server: str | StdioServerParameters = target[0]
    else:
        server = StdioServerParameters(command=target[0], args=target[1:], env=dict(os.environ))
    anyio.run(Driver(server, era).run)


if __name__ == "__main__":
    main()
