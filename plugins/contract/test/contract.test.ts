import assert from 'node:assert/strict';
import { test } from 'node:test';

import { contract } from '../src/plugin.ts';
import type { Request } from '../src/terms.ts';
import { NDA, SERVICES } from './requests.ts';

const CONTEXT = { callId: 'call_1', remainingMs: 1000 };

function drafted(request: Request) {
  const [text, aside, structured] = contract.run(request, CONTEXT) as [string, string, Record<string, any>];
  return { text, aside, structured };
}

function refused(request: Request, message: RegExp) {
  assert.throws(() => contract.run(request, CONTEXT), { kind: 'invalid-arguments', message });
}

test('a mutual NDA has every clause, numbered in order', () => {
  const { text, structured } = drafted(NDA);
  assert.equal(structured.title, 'Mutual Non-Disclosure Agreement');
  const headings = [...text.matchAll(/^## (\d+)\. (.+)$/gm)].map(([, number, heading]) => ({ number: Number(number), heading }));
  assert.deepEqual(structured.clauses, headings);
  assert.deepEqual(headings.map(({ heading }) => heading), [
    'Confidential Information',
    'Duties of the Receiving Party',
    'No licence, no warranty, no duty to go on',
    'Personal data',
    'Term and end',
    'Return, and duties that continue',
    'Remedies',
    'Notices',
    'Governing law and courts',
    'General',
  ]);
  for (const words of [
    'for the purpose of evaluating a joint product (the **Purpose**)',
    'for twenty-four (24) months, until the end of 28 February 2029',
    'thirty (30) days in advance',
    'thirty-six (36) months after this Agreement ends',
    'the laws of the State of New York',
    'the courts of the State of New York',
    '**Acme Inc.**, a Delaware corporation, of 1 Main Street, Wilmington',
    '(the **Second Party**)',
    'Name: Ada Park',
  ]) assert.ok(text.includes(words), words);
});

test('a services agreement says what is done, handed over, paid and owned', () => {
  const { text, structured } = drafted(SERVICES);
  assert.equal(structured.last_day, '2028-02-29');
  for (const words of [
    'The Provider shall design and build the website (the **Services**).',
    '- (a) a design; and\n- (b) a website.',
    'a fixed fee of USD 12,500 for the Services',
    'within thirty (30) days of their receipt',
    'The fees include all expenses of the Provider.',
    'all intellectual property rights in it pass to the Client',
    '(the **Client**)',
    '(the **Provider**)',
  ]) assert.ok(text.includes(words), words);
});

test('each choice changes what is written', () => {
  const fees = { basis: 'hourly', amount: '120.5', currency: 'EUR', maximum: '20000', payment_days: 14, expenses: true } as const;
  const { text } = drafted({
    ...SERVICES,
    fees,
    deliverables: [],
    intellectual_property: 'provider',
    courts: 'New York County',
    notice_days: 1,
    term_months: 6,
    confidentiality_months: 120,
  });
  for (const words of [
    'EUR 120.50 for each hour of Services rendered, and a part of it for a part of an hour',
    'shall not exceed EUR 20,000 in total',
    'within fourteen (14) days of their receipt',
    'reimburse reasonable expenses',
    'The Provider keeps all intellectual property rights in the Deliverables',
    'is a **Deliverable**',
    'the courts of New York County',
    'one (1) day in advance',
    'for six (6) months, until the end of 31 August 2027',
    'one hundred and twenty (120) months',
  ]) assert.ok(text.includes(words), words);
});

test('it says that it is no legal advice, and what is left to fill in', () => {
  for (const request of [NDA, SERVICES]) {
    const { text, aside, structured } = drafted(request);
    assert.match(text, /^# .+\n\n> \*\*Not legal advice\.\*\*/);
    assert.match(structured.notice, /no legal advice/);
    assert.equal(structured.blanks.length, 5);
    assert.match(aside, /Bolt Ltd: legal form/);
    assert.ok(text.includes('**Bolt Ltd**, \\[legal form\\], of \\[address\\]'));
    assert.ok(!/undefined|null|NaN|\{|\}/.test(text));
    assert.equal(structured.markdown, text);
  }
});

test('what is left to fill in names the parties as they are called', () => {
  const { text, aside, structured } = drafted({ ...NDA, parties: [NDA.parties[0], { name: 'Bolt_*\n[EU]' }] });
  assert.equal(structured.blanks[0], 'Bolt_* [EU]: legal form');
  for (const markdown of [text, aside]) assert.ok(markdown.includes('Bolt\\_\\* \\[EU\\]'));
});

test('the same request gives the same text', () => {
  assert.deepEqual(drafted(structuredClone(SERVICES)), drafted(SERVICES));
});

test('what contradicts itself is refused, and names the argument', () => {
  refused({ ...NDA, effective_date: '2027-02-29' }, /`effective_date`.+does not have/);
  refused({ ...NDA, effective_date: '2027-13-01' }, /`effective_date`/);
  refused({ ...NDA, parties: [{ name: 'Acme' }, { name: ' ACME ' }] }, /`parties` are the same/);
  refused({ ...NDA, parties: [{ name: 'Acme' }, { name: ' * ' }] }, /`parties.name` has no words/);
  refused({ ...NDA, purpose: '\u200b' }, /`purpose` has no words/);
  refused({ ...NDA, fees: SERVICES.fees! }, /`fees` belongs to a services agreement/);
  const { fees, ...unpaid } = SERVICES;
  refused(unpaid, /needs `fees`/);
  refused({ ...SERVICES, fees: { ...fees!, amount: '0.00' } }, /`fees.amount` is zero/);
  refused({ ...SERVICES, fees: { ...fees!, maximum: '20000' } }, /where the fee is fixed/);
  refused({ ...SERVICES, fees: { ...fees!, basis: 'daily', maximum: '12499.99' } }, /less than/);
});

test("a caller's words cannot become clauses, links or markup", () => {
  const { text } = drafted({
    ...NDA,
    parties: [{ name: 'Acme\n\n## 11. Free of charge' }, { name: '[Bolt](https://bolt.example) <b>**x**</b>' }],
    purpose: 'a talk\u202e\n\n- (b) everything else',
  });
  assert.equal([...text.matchAll(/^## \d/gm)].length, 10);
  assert.ok(text.includes('**Acme \\#\\# 11. Free of charge**'));
  assert.ok(text.includes('\\[Bolt\\](`https://bolt.example`) \\<b\\>\\*\\*x\\*\\*\\</b\\>'));
  assert.ok(text.includes('for the purpose of a talk - (b) everything else (the **Purpose**)'));
});
