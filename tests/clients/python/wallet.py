"""A wallet that pays for a tool by x402: pip `x402` around pip `mcp` 1. See ../README.md.

usage: wallet.py BEHAVIOURS TOOL TEXT http URL
       wallet.py BEHAVIOURS TOOL TEXT stdio COMMAND [ARGUMENT...]

BEHAVIOURS, TOOL and TEXT are as for buyer.py; who declines has a wallet that does not pay by itself. WALLET_KEY is the
wallet's private key, one of nobody's when it is not set. Prints one line of JSON.
"""

import json
import os
import sys
from importlib.metadata import version
from typing import Any

import anyio
from eth_account import Account
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client
from x402 import x402Client
from x402.mcp.client import x402MCPSession
from x402.mechanisms.evm.exact import ExactEvmScheme

CHAIN = "eip155:84532"


def connection(transport: str, target: list[str]) -> Any:
    if transport == "http":
        return streamablehttp_client(target[0])
    return stdio_client(StdioServerParameters(command=target[0], args=target[1:], env=dict(os.environ)))


class Noting:
    """A session that notes the payment of its last call."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session
        self.payment: Any = None

    async def call_tool(self, *, meta: dict[str, Any] | None = None, **call: Any) -> Any:
        self.payment = (meta or {}).get("x402/payment")
        return await self.session.call_tool(meta=meta, **call)


async def main() -> None:
    behaviours, tool, text, transport, *target = sys.argv[1:]
    key = os.environ.get("WALLET_KEY")
    account = Account.from_key(key) if key else Account.create()
    wallet = x402Client()
    wallet.register(CHAIN, ExactEvmScheme(account))
    async with connection(transport, target) as streams, ClientSession(*streams[:2]) as session:
        protocol = (await session.initialize()).protocolVersion
        await session.list_tools()
        visits = []
        for behaviour in behaviours.split(","):
            noting = Noting(session)
            payer = x402MCPSession(noting, wallet, auto_payment=behaviour == "pay")
            result = await payer.call_tool(tool, {"text": f"{text} {behaviour}"})
            visits.append({**visit(behaviour, result), "payment": noting.payment})
    seen = {"client": f"x402 {version('x402')}", "protocol": protocol, "payer": account.address, "visits": visits}
    print(json.dumps(seen), flush=True)


def visit(behaviour: str, result: Any) -> dict[str, Any]:
    texts = [block["text"] if isinstance(block, dict) else block.text for block in result.content]
    receipt = result.payment_response
    return {
        "behaviour": behaviour,
        "text": "\n".join(texts),
        "error": result.is_error,
        "receipt": receipt and receipt.model_dump(mode="json", by_alias=True),
    }


if __name__ == "__main__":
    anyio.run(main)
