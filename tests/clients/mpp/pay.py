"""A paid call by pympp's MCP client, on stdio.

usage: pay.py PLAN, JSON: {"command": [...], "tool", "arguments", "method": "evm" or "lightning", "key", "wallet"}.
Prints one JSON line: {"text", "is_error", "receipt", "credential"} or {"raised"}.

`wallet` pays Lightning invoices: GET {wallet}/pay/{payment hash} answers the preimage.
"""

import asyncio
import json
import sys
import urllib.request

from eth_account import Account
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mpp import Credential
from mpp.extensions.mcp import McpClient
from mpp.methods import Method
from mpp.methods.evm import BASE_SEPOLIA_USDC
from mpp.methods.evm import client as evm
from mpp.runtime import ClientMethod
from pydantic import BaseModel, ConfigDict


class Request(BaseModel):
    model_config = ConfigDict(extra="allow")
    amount: str


class Payload(BaseModel):
    preimage: str


def lightning(wallet):
    """pympp ships no lightning/charge: the smallest one."""

    async def create_credential(params):
        challenge = params.challenge
        payment_hash = challenge.request["methodDetails"]["paymentHash"]
        with urllib.request.urlopen(f"{wallet}/pay/{payment_hash}") as answer:
            preimage = answer.read().decode()
        credential = Credential(challenge=challenge.to_echo(), payload={"preimage": preimage})
        return credential.to_authorization()

    method = Method(
        name="lightning", intent="charge", request_model=Request, payload_model=Payload
    )
    return ClientMethod(method=method, create_credential=create_credential)


class Noting:
    """A session that notes the payment of its last call."""

    def __init__(self, session):
        self.session = session
        self.credential = None

    async def call_tool(self, name, arguments, *, meta=None, **more):
        self.credential = (meta or {}).get("org.paymentauth/credential")
        return await self.session.call_tool(name, arguments, meta=meta, **more)


async def main(plan):
    method = {
        "evm": lambda: evm.charge(
            currency=BASE_SEPOLIA_USDC, account=Account.from_key(plan["key"])
        ),
        "lightning": lambda: lightning(plan["wallet"]),
    }[plan["method"]]()
    server = StdioServerParameters(command=plan["command"][0], args=plan["command"][1:])
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        noting = Noting(session)
        client = McpClient(noting, methods=[method])
        try:
            paid = await client.call_tool(plan["tool"], plan["arguments"])
        except Exception as error:  # whatever a user of it would see
            return {"raised": f"{type(error).__name__}: {error}"}
        return {
            "text": "".join(block.text for block in paid.content),
            "is_error": bool(paid.isError),
            "receipt": paid.receipt and paid.receipt.to_dict(),
            "credential": noting.credential,
        }


print(json.dumps(asyncio.run(main(json.loads(sys.argv[1])))))
