// A tool's definition: checked when the plugin is built, and as the host lists it.

import { waits } from '#host';
import { price } from './price.js';

const KEYS = ['name', 'title', 'description', 'input', 'output', 'price', 'effects', 'annotations', 'run'];
const HINTS = ['readOnly', 'destructive', 'idempotent', 'openWorld'];
const EFFECTS = [undefined, 'pure', 'idempotent', 'effectful'];
const NO_ARGUMENTS = { type: 'object', properties: {}, additionalProperties: false };

export function tool(definition) {
  const { name, description, run, effects, annotations = {} } = definition;
  if (typeof name !== 'string' || !/^[A-Za-z0-9_.-]{1,64}$/.test(name)) {
    throw new TypeError(`a tool's name is 1 to 64 of A-Z a-z 0-9 _ - . and not ${JSON.stringify(name)}`);
  }
  const wrong = (what) => new TypeError(`tool ${name}: ${what}`);
  refuseUnknown(definition, KEYS, wrong);
  refuseUnknown(annotations, HINTS, wrong);
  if (typeof description !== 'string') throw wrong('`description` is missing');
  if (typeof run !== 'function') throw wrong('`run` is not a function');
  if (!waits && run.constructor.name === 'AsyncFunction') {
    throw wrong('`run` is async, and the engine "small" cannot wait: write it without, or set "engine": "fetch"');
  }
  if (!EFFECTS.includes(effects)) throw wrong(`\`effects\` is none of ${EFFECTS.slice(1).join(', ')}`);
  for (const key of ['input', 'output']) {
    const schema = definition[key];
    if (schema !== undefined && schema?.type !== 'object') throw wrong(`\`${key}\` is no schema of "type": "object"`);
  }
  price(definition.price);
  return Object.freeze({ ...definition });
}

function refuseUnknown(object, known, wrong) {
  const unknown = Object.keys(object).find((key) => !known.includes(key));
  if (unknown !== undefined) throw wrong(`there is no \`${unknown}\`, only ${known.join(', ')}`);
}

/** The host's record of a tool. */
export function listing(tool) {
  const readOnly = tool.effects === 'pure' ? true : undefined;
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: JSON.stringify(tool.input ?? NO_ARGUMENTS),
    outputSchema: tool.output && JSON.stringify(tool.output),
    annotations: { readOnly, ...tool.annotations },
    effects: tool.effects ?? 'unspecified',
    price: price(tool.price),
    meta: undefined,
  };
}
