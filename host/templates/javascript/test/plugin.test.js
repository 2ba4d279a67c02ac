import assert from 'node:assert/strict';
import { test } from 'node:test';

import { host } from '@coinop/plugin/testing';
import { greeting } from '../src/plugin.js';

test('somebody is greeted', () => {
  host();
  assert.equal(greeting.run({ name: ' Ada ' }), 'Hello, Ada!');
});

test('the operator chooses the words', () => {
  host({ greeting: 'Salve' });
  assert.equal(greeting.run({ name: 'Ada' }), 'Salve, Ada!');
});

test('nobody is told so and not charged', () => {
  assert.throws(() => greeting.run({ name: ' ' }), { kind: 'invalid-arguments' });
});
