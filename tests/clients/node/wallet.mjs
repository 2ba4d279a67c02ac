// A wallet that pays for a tool by x402, behind published MCP clients. See ../README.md.
//
// usage: wallet.mjs WALLET ERA BEHAVIOURS TOOL TEXT http URL
//        wallet.mjs WALLET ERA BEHAVIOURS TOOL TEXT stdio COMMAND [ARGUMENT...]
//
// WALLET is a package and the client it wraps: agents+sdk, agents+client, x402+sdk, x402+client. ERA, BEHAVIOURS, TOOL
// and TEXT are as for buyer.mjs; who declines is asked by the wallet and says no. WALLET_KEY is the wallet's private key,
// one of nobody's when it is not set. Prints one line of JSON.

import { readFileSync } from 'node:fs';
import { withX402Client } from 'agents/x402';
import { x402Client } from '@x402/core/client';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { SIDES } from './sides.mjs';

const CHAIN = 'eip155:84532';
const PAYMENT = 'x402/payment';
const RECEIPT = 'x402/payment-response';

/** Cloudflare's `agents`: it wraps the client's own callTool. */
class Agents {
  static package = 'agents';

  constructor({ client }, account, agrees) {
    this.client = withX402Client(client, { network: CHAIN, account, confirmationCallback: async () => agrees() });
  }

  call(params) {
    return this.client.callTool(null, params);
  }
}

/** `@x402/core` and `@x402/evm`: read the request, sign, call again with the payment. */
class X402 {
  static package = '@x402/core';

  constructor(side, account, agrees) {
    Object.assign(this, { side, agrees });
    this.wallet = new x402Client().register(CHAIN, new ExactEvmScheme(account));
  }

  async call(params) {
    const result = await this.side.callTool(params);
    const request = result.structuredContent;
    if (!result.isError || request?.x402Version === undefined || !this.agrees()) return result;
    const payment = await this.wallet.createPaymentPayload(request);
    return this.side.callTool({ ...params, _meta: { [PAYMENT]: payment } });
  }
}

const WALLETS = { agents: Agents, x402: X402 };

const [name, era, behaviours, tool, text, transport, ...target] = process.argv.slice(2);
const [kind, client] = name.split('+');
const account = privateKeyToAccount(process.env.WALLET_KEY ?? generatePrivateKey());
const side = new SIDES[client](era, new Set(['nothing']), transport, target);
await side.connect();
await side.tools();
/** The payment of the last call, as it went over the wire. */
let payment;
side.transport.send = ((send) => (message, options) => {
  if (message.method === 'tools/call') payment = message.params._meta?.[PAYMENT];
  return send(message, options);
})(side.transport.send.bind(side.transport));
let behaviour;
const wallet = new WALLETS[kind](side, account, () => behaviour === 'pay');
const visits = [];
for (behaviour of behaviours.split(',')) {
  const result = await wallet.call({ name: tool, arguments: { text: `${text} ${behaviour}` } });
  const blocks = result.content.filter((block) => block.type === 'text');
  visits.push({
    behaviour,
    text: blocks.map((block) => block.text).join('\n'),
    error: result.isError === true,
    receipt: result._meta?.[RECEIPT],
    payment,
  });
}
const manifest = new URL(`node_modules/${WALLETS[kind].package}/package.json`, import.meta.url);
const version = `${WALLETS[kind].package} ${JSON.parse(readFileSync(manifest)).version}`;
const seen = { client: version, protocol: side.protocol, payer: account.address, visits };
process.stdout.write(`${JSON.stringify(seen)}\n`);
await side.close();
