import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Failure, audio, image, incorrect, plugin, progress, requiredSetting, setting, tool } from '../index.js';
import { host } from '../testing.js';

const CONTEXT = { callId: 'call_1', remainingMs: 1000, caller: null, meta: null };

function toolOf(run, more = {}) {
  return tool({ name: 'it', description: 'Does it.', run, ...more });
}

function called(run, args = {}) {
  return plugin([toolOf(run)]).callTool('it', JSON.stringify(args), CONTEXT);
}

/** What a call throws, at once or later. */
async function thrownBy(run) {
  try {
    await called(run);
  } catch (thrown) {
    return thrown;
  }
  throw new Error('nothing was thrown');
}

test('each kind of answer becomes its content', () => {
  const bytes = new Uint8Array([1, 2]);
  const { content, structured, isError } = called(() => ['words', image(bytes, 'image/png'), audio(bytes, 'audio/wav'), { n: 1 }]);
  assert.deepEqual(content, [
    { tag: 'text', val: 'words' },
    { tag: 'image', val: { data: bytes, mimeType: 'image/png' } },
    { tag: 'audio', val: { data: bytes, mimeType: 'audio/wav' } },
  ]);
  assert.equal(structured, '{"n":1}');
  assert.equal(isError, false);
  assert.deepEqual(called(() => '').content, [{ tag: 'text', val: '' }]);
  assert.equal(called(() => incorrect('no such city')).isError, true);
});

test('arguments and context arrive, without what engines make of none', () => {
  const { structured } = called((args, context) => ({ args, context }), { a: ['Ü'] });
  assert.deepEqual(JSON.parse(structured), { args: { a: ['Ü'] }, context: { callId: 'call_1', remainingMs: 1000 } });
});

test('a promise is waited for', async () => {
  const { content } = await called(async () => 'later');
  assert.deepEqual(content, [{ tag: 'text', val: 'later' }]);
});

test('whatever is thrown is a declared failure, at once or later', async () => {
  const hostile = { get toString() { throw new Error('no'); } };
  for (const [thrown, val] of [
    [new RangeError('too far'), 'RangeError: too far'],
    [new Failure('not today'), 'not today'],
    [new Error(''), 'Error'],
    ['a string', 'thrown: a string'],
    [undefined, 'thrown: undefined'],
    [Object.create(null), 'thrown: something without words'],
    [hostile, 'thrown: something without words'],
  ]) {
    const failure = { tag: 'failed', val };
    assert.deepEqual(await thrownBy(() => { throw thrown; }), failure);
    assert.deepEqual(await thrownBy(() => Promise.reject(thrown)), failure);
  }
});

test('failures say their kind', async () => {
  for (const [failure, declared] of [
    [Failure.invalid('`a` is odd'), { tag: 'invalid-arguments', val: '`a` is odd' }],
    [Failure.denied('no'), { tag: 'denied', val: 'no' }],
    [Failure.timedOut('late'), { tag: 'timed-out', val: 'late' }],
    [Failure.unsupported('never'), { tag: 'unsupported', val: 'never' }],
    [Failure.unavailable('busy', 500), { tag: 'unavailable', val: { message: 'busy', retryAfterMs: 500 } }],
  ]) {
    assert.deepEqual(await thrownBy(() => { throw failure; }), declared);
  }
});

test('what is no answer is a failure, since nobody should pay for it', async () => {
  const cyclic = {};
  cyclic.self = cyclic;
  for (const given of [undefined, null, 1, true, [], [[]], [{}, {}], cyclic, { toJSON: () => 1 }, () => 1]) {
    const { tag, val } = await thrownBy(() => given);
    assert.equal(tag, 'failed');
    assert.match(val, /^TypeError: /);
  }
  assert.match((await thrownBy(() => undefined)).val, /gave undefined, which is no answer/);
});

test('a failure that is returned is one that is thrown', async () => {
  const declared = { tag: 'invalid-arguments', val: 'nope' };
  const failure = Failure.invalid('nope');
  for (const given of [failure, [failure], ['words', failure], incorrect(failure)]) {
    assert.deepEqual(await thrownBy(() => given), declared);
    assert.deepEqual(await thrownBy(async () => given), declared);
  }
});

test('what JSON would silently make less of is a failure, however deep it lies', async () => {
  for (const [less, word] of [
    [new Error('no'), /class Error/],
    [new Map([['a', 1]]), /class Map/],
    [new Set([1]), /class Set/],
    [Promise.resolve(1), /class Promise/],
    [new Uint8Array([1]), /bytes/],
    [new DataView(new ArrayBuffer(1)), /bytes/],
    [new ArrayBuffer(1), /bytes/],
    [image(new Uint8Array([1]), 'image/png'), /beside it/],
    [incorrect('no'), /around it/],
    [NaN, /NaN/],
    [-Infinity, /-Infinity/],
    [new Date(NaN), /Date/],
  ]) {
    for (const given of [{ less }, { deeper: [{ less }] }]) {
      const { tag, val } = await thrownBy(() => given);
      assert.equal(tag, 'failed');
      assert.match(val, /^TypeError: /);
      assert.match(val, word);
    }
  }
  for (const given of [new Error('no'), new Map(), new Uint8Array(1), ['words', new Error('no')], [Promise.resolve(1)], [incorrect('no')]]) {
    assert.match((await thrownBy(() => given)).val, /^TypeError: /);
  }
});

test('objects say themselves what they are in JSON', () => {
  class Point { constructor() { this.x = 1; } }
  class Numbers extends Map { toJSON() { return Object.fromEntries(this); } }
  const given = { point: new Point(), at: new Date(0), numbers: new Numbers([['a', 1]]), none: null, left: undefined };
  assert.deepEqual(JSON.parse(called(() => given).structured), {
    point: { x: 1 }, at: '1970-01-01T00:00:00.000Z', numbers: { a: 1 }, none: null,
  });
});

test('the host is asked for settings and told of progress', () => {
  const { reports } = host({ base_url: 'http://127.0.0.1' });
  assert.equal(setting('base_url'), 'http://127.0.0.1');
  assert.equal(setting('other'), undefined);
  assert.throws(() => requiredSetting('other'), { name: 'Failure', message: /`other`/ });
  progress(1, 2, 'half');
  assert.deepEqual(reports, [{ done: 1, total: 2, message: 'half' }]);
});

test('tools are listed as they are written', () => {
  const [listed, bare] = plugin([
    toolOf(() => '', { price: '0.05 USD', effects: 'pure', output: { type: 'object' }, annotations: { openWorld: false } }),
    tool({ name: 'bare', description: '', run: () => '' }),
  ]).listTools();
  assert.deepEqual(listed.price, { tag: 'per-call', val: { amount: '0.05', currency: 'USD' } });
  assert.deepEqual(listed.annotations, { readOnly: true, openWorld: false });
  assert.equal(listed.outputSchema, '{"type":"object"}');
  assert.equal(bare.price, undefined);
  assert.equal(bare.effects, 'unspecified');
  assert.equal(JSON.parse(bare.inputSchema).additionalProperties, false);
});

test('a wrong definition ends the build', () => {
  const wrong = (more, words) => assert.throws(() => toolOf(() => '', more), words);
  wrong({ name: 'two words' }, /name/);
  wrong({ price: '0,05 USD' }, /price/);
  wrong({ price: '0.00 USD' }, /'free'/);
  wrong({ inputs: {} }, /no `inputs`/);
  wrong({ annotations: { readonly: true } }, /no `readonly`/);
  wrong({ input: { type: 'string' } }, /`input`/);
  wrong({ effects: 'none' }, /`effects`/);
  wrong({ run: 'it' }, /`run`/);
  assert.throws(() => plugin([]), /at least one/);
  assert.throws(() => plugin([toolOf(() => ''), toolOf(() => '')]), /same name/);
});

test('media are bytes with a type of their kind', () => {
  assert.throws(() => image('iVBO', 'image/png'), /Uint8Array/);
  assert.throws(() => image(new Uint8Array(), 'text/plain'), /type/);
});
