// A facilitator of the official npm packages, on a port of its own choosing, with one-shot faults.
// usage: node facilitator.mjs RPC_URL PRIVATE_KEY CONFIRMATION_TIMEOUT_MS
import { createServer } from "node:http";
import { x402Facilitator } from "@x402/core/facilitator";
import { toFacilitatorEvmSigner } from "@x402/evm";
import { ExactEvmScheme } from "@x402/evm/exact/facilitator";
import { ExactEvmSchemeV1 } from "@x402/evm/exact/v1/facilitator";
import { createWalletClient, http, publicActions } from "viem";
import { nonceManager, privateKeyToAccount } from "viem/accounts";
import { baseSepolia } from "viem/chains";

const [rpc, key, confirmationTimeoutMs] = process.argv.slice(2);
const account = privateKeyToAccount(key, { nonceManager });
const client = createWalletClient({
  account,
  chain: baseSepolia,
  transport: http(rpc, { retryCount: 0 }),
  pollingInterval: 50,
}).extend(publicActions);
const signer = toFacilitatorEvmSigner(
  {
    address: account.address,
    getCode: (args) => client.getCode(args),
    readContract: (args) => client.readContract({ ...args, args: args.args ?? [] }),
    verifyTypedData: (args) => client.verifyTypedData(args),
    writeContract: (args) => client.writeContract({ ...args, args: args.args ?? [] }),
    sendTransaction: (args) => client.sendTransaction(args),
    waitForTransactionReceipt: (args) => client.waitForTransactionReceipt(args),
  },
  { confirmationTimeoutMs: Number(confirmationTimeoutMs) },
);
const facilitator = new x402Facilitator()
  .register("eip155:84532", new ExactEvmScheme(signer))
  .registerV1("base-sepolia", new ExactEvmSchemeV1(signer));

let fault = null;

const read = async (request) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  return parts.length ? JSON.parse(Buffer.concat(parts)) : null;
};
const answer = (response, status, body) => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
};

const serve = async (request, response) => {
  const body = await read(request);
  switch (`${request.method} ${request.url}`) {
    case "GET /supported":
      return answer(response, 200, facilitator.getSupported());
    case "POST /verify":
      return answer(response, 200, await facilitator.verify(body.paymentPayload, body.paymentRequirements));
    case "POST /fault":
      fault = body.fault;
      return answer(response, 200, {});
    case "POST /settle": {
      const present = fault;
      fault = null;
      if (present === "hang-before") return;
      const settled = await facilitator.settle(body.paymentPayload, body.paymentRequirements);
      if (present === "hang-after") return;
      if (present === "cut-after") return request.socket.destroy();
      if (present === "bad-gateway-after") return answer(response, 502, {});
      return answer(response, 200, settled);
    }
    default:
      return answer(response, 404, {});
  }
};

const server = createServer((request, response) => {
  serve(request, response).catch((error) => answer(response, 500, { error: String(error) }));
});
server.listen(0, "127.0.0.1", () => console.log(`Listening on 127.0.0.1:${server.address().port}`));
