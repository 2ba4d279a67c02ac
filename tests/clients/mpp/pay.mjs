// A paid call by mppx's MCP client, on stdio.
//
// usage: pay.mjs PLAN, JSON: {"command": [...], "tool", "arguments", "key"}.
// Prints one JSON line: {"text", "is_error", "receipt", "credential"} or {"raised"}.

import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { evm } from 'mppx/client'
import { McpClient } from 'mppx/mcp/client'
import { privateKeyToAccount } from 'viem/accounts'

const plan = JSON.parse(process.argv[2])
const [command, ...args] = plan.command
const client = new Client({ name: 'mppx', version: '0.11' })
const transport = new StdioClientTransport({ command, args, stderr: 'inherit' })
await client.connect(transport)
/** The payment of the last call, as it went over the wire. */
let credential
transport.send = ((send) => (message, options) => {
  if (message.method === 'tools/call') credential = message.params._meta?.['org.paymentauth/credential']
  return send(message, options)
})(transport.send.bind(transport))
McpClient.wrap(client, {
  methods: [
    evm.charge({
      account: privateKeyToAccount(plan.key),
      networks: [84532],
      currencies: ['0x036CbD53842c5426634e7929541eC2318f3dCF7e'],
      decimals: 6,
      authorization: { name: 'USDC', version: '2' },
      maxAmount: '1',
    }),
  ],
})
let said
try {
  const paid = await client.callTool({ name: plan.tool, arguments: plan.arguments })
  const text = paid.content.map((block) => block.text).join('')
  said = { text, is_error: Boolean(paid.isError), receipt: paid.receipt ?? null, credential }
} catch (error) {
  said = { raised: String(error) }
}
console.log(JSON.stringify(said))
await client.close()
