// An MCP client made of npm's @modelcontextprotocol/client, told what to do line by line. See ../README.md.
//
// usage: client.mjs legacy|modern http URL
//        client.mjs legacy|modern stdio COMMAND [ARGUMENT...]

import { createInterface } from 'node:readline';
import { Client, ProtocolError, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const MODES = { legacy: 'legacy', modern: { pin: '2026-07-28' } };

function tell(fact, values) {
  process.stdout.write(`${JSON.stringify({ fact, ...values })}\n`);
}

/** Performs what the test asks for, one line at a time. */
class Driver {
  constructor(era, transport) {
    this.changes = 0;
    this.hearChange = () => {};
    const onChanged = () => {
      this.changes += 1;
      this.hearChange();
    };
    this.transport = transport;
    this.client = new Client(
      { name: 'coinop-tests', version: '0' },
      {
        versionNegotiation: { mode: MODES[era] },
        listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged } },
      },
    );
  }

  async run() {
    await this.client.connect(this.transport);
    tell('connected', { version: this.client.getNegotiatedProtocolVersion() });
    for await (const line of createInterface({ input: process.stdin })) {
      await this.perform(JSON.parse(line));
    }
    await this.client.close();
  }

  async perform(order) {
    switch (order.do) {
      case 'list':
        return this.list();
      case 'call':
        return this.call(order.tool, order.arguments);
      case 'cancel':
        return this.cancel(order.tool, order.arguments);
      case 'await_change':
        if (this.changes === 0) {
          await new Promise((resolve) => {
            this.hearChange = resolve;
          });
        }
        this.changes = 0;
        return this.list();
      default:
        throw new Error(`unknown order ${order.do}`);
    }
  }

  async list() {
    const { tools } = await this.client.listTools();
    tell('listed', { tools });
  }

  async call(name, args) {
    const progress = [];
    const onprogress = ({ progress: done, total, message }) => progress.push({ progress: done, total, message });
    try {
      const result = await this.client.callTool({ name, arguments: args }, { onprogress });
      tell('answered', { result, progress });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      tell('refused', { error: { code: error.code, message: error.message, data: error.data } });
    }
  }

  /** Cancels the call at its first word of progress. */
  async cancel(name, args) {
    const stop = new AbortController();
    let early = false;
    try {
      await this.client.callTool({ name, arguments: args }, { signal: stop.signal, onprogress: () => stop.abort() });
    } catch (error) {
      if (!stop.signal.aborted) throw error;
      early = true;
    }
    tell('cancelled', { early });
  }
}

const [era, kind, target, ...rest] = process.argv.slice(2);
const transport =
  kind === 'http'
    ? new StreamableHTTPClientTransport(new URL(target))
    : new StdioClientTransport({ command: target, args: rest, env: { ...process.env } });
await new Driver(era, transport).run();
