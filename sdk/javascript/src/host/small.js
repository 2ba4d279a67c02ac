// The host, in the small engine (QuickJS). It has no `console`: this one writes to stderr, the operator's log.

import { getStderr } from 'wasi:cli/stderr@0.2.12';
import { utf8 } from '../utf8.js';

export { report } from 'coinop:plugin/progress@0.1.0';
export { get } from 'coinop:plugin/settings@0.1.0';

/** This engine has no event loop. */
export const waits = false;

/** WASI takes no more in one write, bytes. */
const WRITE_MAX = 4096;

/** Writes to the operator's log. */
export function log(text) {
  try {
    const bytes = utf8(`${text}\n`);
    const stderr = getStderr();
    for (let at = 0; at < bytes.length; at += WRITE_MAX) {
      stderr.blockingWriteAndFlush(bytes.slice(at, at + WRITE_MAX));
    }
  } catch {
    // While the component is built there is no log, and a full one is no reason to fail.
  }
}

function shown(value) {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return `${value.name}: ${value.message}\n${value.stack}`.trimEnd();
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

function write(...values) {
  log(values.map(shown).join(' '));
}

globalThis.console ??= { debug: write, error: write, info: write, log: write, trace: write, warn: write };
