// The host, in the engine with `fetch` (StarlingMonkey).

export { report } from 'coinop:plugin/progress@0.1.0';
export { get } from 'coinop:plugin/settings@0.1.0';

/** This engine runs its event loop until a promise settles. */
export const waits = true;

/** Writes to the operator's log. */
export function log(text) {
  console.error(text);
}
