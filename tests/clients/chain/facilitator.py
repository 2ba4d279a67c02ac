"""A facilitator of the official Python packages, on a port of its own choosing, with one-shot faults.

usage: python facilitator.py RPC_URL PRIVATE_KEY CONFIRMATION_TIMEOUT_MS
"""

import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from x402 import x402FacilitatorSync
from x402.mechanisms.evm import FacilitatorWeb3Signer
from x402.mechanisms.evm.exact import register_exact_evm_facilitator
from x402.schemas.helpers import parse_payment_payload, parse_payment_requirements

rpc, key, timeout_ms = sys.argv[1:]
signer = FacilitatorWeb3Signer(key, rpc, confirmation_timeout_seconds=int(timeout_ms) / 1000)
facilitator = x402FacilitatorSync()
register_exact_evm_facilitator(facilitator, signer, networks=["eip155:84532"])

fault = None
never = threading.Event()


def dump(model):
    return model.model_dump(by_alias=True, exclude_none=True, mode="json")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        self.answer(200, dump(facilitator.get_supported()))

    def do_POST(self):
        global fault
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/fault":
            fault = body["fault"]
            return self.answer(200, {})
        present = None
        if self.path == "/settle":
            present, fault = fault, None
        if present == "hang-before":
            never.wait()
        payload = parse_payment_payload(body["paymentPayload"])
        requirements = parse_payment_requirements(payload.x402_version, body["paymentRequirements"])
        does = facilitator.settle if self.path == "/settle" else facilitator.verify
        try:
            done = dump(does(payload, requirements))
        except Exception as error:
            return self.answer(500, {"error": str(error)})
        if present == "hang-after":
            never.wait()
        if present == "cut-after":
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        if present == "bad-gateway-after":
            return self.answer(502, {})
        return self.answer(200, done)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"Listening on 127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
