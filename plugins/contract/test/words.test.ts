import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inWords, iso, lastDay, parseDay } from '../src/dates.ts';
import { amount, count, line, phrase, plain } from '../src/words.ts';

test('a term of months ends on the day before its anniversary', () => {
  for (const [from, months, last] of [
    ['2027-01-01', 12, '2027-12-31'],
    ['2027-01-31', 1, '2027-02-28'],
    ['2027-01-31', 2, '2027-03-30'],
    ['2027-03-01', 12, '2028-02-29'],
    ['2028-02-29', 12, '2029-02-28'],
    ['2026-12-15', 1, '2027-01-14'],
    ['2027-12-01', 1, '2027-12-31'],
  ] as const) assert.equal(iso(lastDay(parseDay(from, 'from'), months)), last, `${months} from ${from}`);
});

test('days are written and refused as the calendar has them', () => {
  assert.equal(inWords(parseDay('2027-01-09', 'day')), '9 January 2027');
  assert.ok(parseDay('2000-02-29', 'day'));
  for (const day of ['1900-02-29', '2027-04-31', '2027-00-10', '2027-01-00']) assert.throws(() => parseDay(day, 'day'));
});

test('counts and amounts are written as agreements do', () => {
  assert.equal(count(1, 'day'), 'one (1) day');
  assert.equal(count(21, 'month'), 'twenty-one (21) months');
  assert.equal(count(100, 'day'), 'one hundred (100) days');
  assert.equal(count(365, 'day'), 'three hundred and sixty-five (365) days');
  assert.equal(amount('1'), '1');
  assert.equal(amount('0012500.5'), '12,500.50');
  assert.equal(amount('123456789012.34'), '123,456,789,012.34');
});

test('words stand in Markdown for themselves', () => {
  assert.equal(plain(' a\tb\n'), 'a b');
  assert.equal(plain('1. one'), '1\\. one');
  assert.equal(plain('- a_b'), '\\- a\\_b');
  assert.equal(plain('R&D &copy; &#58;'), 'R&D \\&copy; \\&\\#58;');
  assert.equal(phrase('to talk. ; '), 'to talk');
});

test('addresses are code, of which no renderer makes a link', () => {
  for (const [text, expected] of [
    ['see https://bolt.example/a_b?c=1.', 'see `https://bolt.example/a_b?c=1`.'],
    ['(Www.bolt.example), or', '(`Www.bolt.example`), or'],
    ['"ftp://bolt.example"!', '"`ftp://bolt.example`"\\!'],
    ['<legal@bolt.example>', '\\<`legal@bolt.example`\\>'],
    ['mailto:legal@bolt.example', '`mailto:legal@bolt.example`'],
    ['ask @bolt', 'ask `@bolt`'],
    ['a@.bolt.example', '`a@.bolt.example`'],
    ['ht\u200btps://bolt.example', '`https://bolt.example`'],
    ['`https://bolt.example`', '\\``https://bolt.example`\\`'],
    ['two @ 5: Acme.com', 'two @ 5: Acme.com'],
  ] as const) assert.equal(plain(text), expected);
});

test('what has no width goes, but for what letters need', () => {
  for (const name of ['نرم\u200cافزار', 'ශ්\u200dරී ලංකා', 'क्\u200dष']) assert.equal(line(name), name);
  assert.equal(line('Donau\u00addampf\u202e'), 'Donaudampf');
  assert.equal(line('\u200dA\u200d \ufeffB\u200c'), 'A B');
});
