"""A wallet that pays for a tool by x402 over plain HTTP: pip `x402` behind `httpx`. See ../README.md.

usage: http_wallet.py URL ARGUMENTS

URL is the tool's, ARGUMENTS its arguments as JSON, WALLET_KEY the wallet's private key. Prints one line of JSON.
"""

import json
import os
import sys
from importlib.metadata import version

import anyio
from eth_account import Account
from x402 import x402Client
from x402.http import decode_payment_response_header
from x402.http.clients import x402HttpxClient
from x402.mechanisms.evm.exact import ExactEvmScheme

CHAIN = "eip155:84532"
PATIENCE_S = 60


async def main() -> None:
    url, arguments = sys.argv[1:]
    wallet = x402Client()
    wallet.register(CHAIN, ExactEvmScheme(Account.from_key(os.environ["WALLET_KEY"])))
    async with x402HttpxClient(wallet, timeout=PATIENCE_S) as client:
        answer = await client.post(url, json=json.loads(arguments))
    receipt = answer.headers.get("PAYMENT-RESPONSE")
    seen = {
        "client": f"x402 {version('x402')}",
        "status": answer.status_code,
        "body": answer.json(),
        "receipt": receipt and decode_payment_response_header(receipt).model_dump(mode="json", by_alias=True),
    }
    print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    anyio.run(main)
