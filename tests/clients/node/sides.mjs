// The published Node.js clients, behind one face. Whoever uses one sets onForm, onLink and onProgress.

import { readFileSync } from 'node:fs';
import * as official from '@modelcontextprotocol/client';
import { StdioClientTransport as OfficialStdio } from '@modelcontextprotocol/client/stdio';
import { Client as SdkClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as SdkStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as SdkHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema, McpError } from '@modelcontextprotocol/sdk/types.js';

const INFO = { name: 'coinop-tests', version: '0' };
const MODES = { legacy: 'legacy', modern: { pin: '2026-07-28' } };
const URL_REQUIRED = -32042;

/** One client. */
class Side {
  constructor(era, shows, transport, target, { name, Http, Stdio }) {
    this.shows = shows;
    const manifest = new URL(`node_modules/${name}/package.json`, import.meta.url);
    this.version = `${name} ${JSON.parse(readFileSync(manifest)).version}`;
    this.changes = 0;
    this.hearChange = () => {};
    this.transport =
      transport === 'http'
        ? new Http(new URL(target[0]))
        : new Stdio({ command: target[0], args: target.slice(1), env: { ...process.env } });
  }

  /** What the client declares, and how it hears of changed lists. */
  options() {
    const elicitation = {};
    if (this.shows.has('forms')) elicitation.form = {};
    if (this.shows.has('links')) elicitation.url = {};
    const onChanged = () => {
      this.changes += 1;
      this.hearChange();
    };
    return {
      capabilities: Object.keys(elicitation).length > 0 ? { elicitation } : {},
      ...(this.shows.has('lists') && { listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged } } }),
    };
  }

  showsAny() {
    return this.shows.has('forms') || this.shows.has('links');
  }

  /** Whether the server says that its list changed, since this was asked last. */
  async changed(withinMs) {
    if (this.changes === 0) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, withinMs);
        this.hearChange = () => (clearTimeout(timer), resolve());
      });
    }
    const heard = this.changes > 0;
    this.changes = 0;
    return heard;
  }

  async consent({ params }) {
    const link = params.mode === 'url';
    const accepted = link ? await this.onLink(params.url) : await this.onForm(params.message);
    if (!accepted) return { action: 'decline' };
    return { action: 'accept', ...(!link && { content: filled(params.requestedSchema) }) };
  }

  async tools() {
    return (await this.client.listTools()).tools.map((tool) => tool.name);
  }

  async call(name, args) {
    const onprogress = this.shows.has('progress') ? ({ message }) => this.onProgress(message ?? '') : undefined;
    try {
      return answer(await this.callTool({ name, arguments: args }, { onprogress }));
    } catch (error) {
      if (!(error instanceof this.Refused)) throw error;
      const urlRequired = error.code === URL_REQUIRED ? error.data.elicitations[0].url : undefined;
      return { text: error.message, error: true, urlRequired };
    }
  }

  close() {
    return this.client.close();
  }
}

/** npm `@modelcontextprotocol/client`. */
class Official extends Side {
  constructor(era, shows, transport, target) {
    const name = '@modelcontextprotocol/client';
    super(era, shows, transport, target, { name, Http: official.StreamableHTTPClientTransport, Stdio: OfficialStdio });
    this.Refused = official.ProtocolError;
    this.client = new official.Client(INFO, { ...this.options(), versionNegotiation: { mode: MODES[era] } });
    if (this.showsAny()) this.client.setRequestHandler('elicitation/create', (request) => this.consent(request));
  }

  async connect() {
    await this.client.connect(this.transport);
    this.protocol = this.client.getNegotiatedProtocolVersion();
  }

  callTool(params, options) {
    return this.client.callTool(params, options);
  }
}

/** npm `@modelcontextprotocol/sdk`. */
class Sdk extends Side {
  constructor(era, shows, transport, target) {
    if (era !== 'legacy') throw new Error('this client speaks the legacy era only');
    super(era, shows, transport, target, { name: '@modelcontextprotocol/sdk', Http: SdkHttp, Stdio: SdkStdio });
    this.Refused = McpError;
    this.client = new SdkClient(INFO, this.options());
    if (this.showsAny()) this.client.setRequestHandler(ElicitRequestSchema, (request) => this.consent(request));
  }

  async connect() {
    // The transport is told what was agreed on; the client keeps it to itself.
    this.transport.setProtocolVersion = ((set) => (version) => {
      this.protocol = version;
      set?.call(this.transport, version);
    })(this.transport.setProtocolVersion);
    await this.client.connect(this.transport);
  }

  callTool(params, options) {
    return this.client.callTool(params, undefined, options);
  }
}

export const SIDES = { client: Official, sdk: Sdk };

function answer({ content, structuredContent, _meta, isError }) {
  const blocks = content.filter((block) => block.type === 'text');
  const objects = [_meta?.['coinop/payment'], structuredContent];
  return {
    text: blocks.map((block) => block.text).join('\n'),
    error: isError === true,
    payment: objects.find((object) => object?.payment_url !== undefined),
  };
}

/** A form filled in by somebody who agrees with everything. */
function filled(schema) {
  const fields = Object.entries(schema?.properties ?? {}).map(([name, field]) => {
    const [choice] = field.enum ?? (field.oneOf ?? []).map((option) => option.const);
    return [name, choice ?? (field.type === 'boolean' ? true : 'yes')];
  });
  return Object.fromEntries(fields);
}
