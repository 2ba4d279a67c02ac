import assert from 'node:assert/strict';
import { test } from 'node:test';

import { host } from '@coinop/plugin/testing';
import { publicHolidays, told } from '../src/plugin.ts';
import { holidays } from '../src/service.ts';

const CONTEXT = { callId: 'call_1', remainingMs: 1000 };
const NEW_YEAR = { date: '2027-01-01', name: "New Year's Day", localName: 'Neujahr', global: true };

test('what the service promises is taken, and nothing else', () => {
  assert.deepEqual(holidays([NEW_YEAR]), [
    { date: '2027-01-01', name: "New Year's Day", localName: 'Neujahr', nationwide: true },
  ]);
  assert.throws(() => holidays({ error: 'no' }), TypeError);
  assert.throws(() => holidays([null]), TypeError);
});

test('the answer says which are regional', () => {
  const [text] = told('DE', 2027, [{ date: '2027-01-06', name: 'Epiphany', localName: '', nationwide: false }]) as [string];
  assert.equal(text, 'DE has 1 public holiday in 2027:\n2027-01-06  Epiphany (regional)');
});

test('an operator who has not said where to ask is named', async () => {
  host();
  await assert.rejects(async () => publicHolidays.run({ country: 'DE', year: 2027 }, CONTEXT), { message: /base_url/ });
});
