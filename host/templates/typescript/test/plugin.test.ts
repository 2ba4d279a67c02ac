import assert from 'node:assert/strict';
import { test } from 'node:test';

import { host } from '@coinop/plugin/testing';
import { greeting } from '../src/plugin.ts';

const CONTEXT = { callId: 'call_1', remainingMs: 1000 };

test('somebody is greeted', () => {
  host();
  assert.equal(greeting.run({ name: ' Ada ' }, CONTEXT), 'Hello, Ada!');
});

test('the operator chooses the words', () => {
  host({ greeting: 'Salve' });
  assert.equal(greeting.run({ name: 'Ada' }, CONTEXT), 'Salve, Ada!');
});

test('nobody is told so and not charged', () => {
  assert.throws(() => greeting.run({ name: ' ' }, CONTEXT), { kind: 'invalid-arguments' });
});
