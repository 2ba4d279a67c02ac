import assert from 'node:assert/strict';
import { test } from 'node:test';

import { utf8 } from '../src/utf8.js';

test('text is encoded as TextEncoder does', () => {
  for (const text of ['', 'plain', 'Ünï', '€', '漢字', '🪙🪙', 'half \ud83e pair', '\udc00', '\u007f\u0080\u07ff\u0800\uffff\u{10000}\u{10ffff}']) {
    assert.deepEqual(utf8(text), new TextEncoder().encode(text));
  }
});
