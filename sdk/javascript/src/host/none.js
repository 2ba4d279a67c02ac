// No host: tools are run by tests, in Node.js.

export const waits = true;

const settings = new Map();
const reports = [];

export function get(key) {
  return settings.get(key);
}

export function report(done, total, message) {
  reports.push({ done, total, message });
}

/** Lost: what a test provokes need not be read. */
export function log() {}

/** Stands in for what an operator sets; forgets what was reported. */
export function arrange(values) {
  settings.clear();
  for (const [key, value] of Object.entries(values)) settings.set(key, value);
  reports.length = 0;
  return reports;
}
