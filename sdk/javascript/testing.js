// For tests of tools, in Node.js. Types and meanings are in testing.d.ts.

import { arrange } from './src/host/none.js';

export function host(settings = {}) {
  return { reports: arrange(settings) };
}
