import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';

import { host } from '@coinop/plugin/testing';
import { checkDigit, modules } from '../src/ean13.js';
import { barcode } from '../src/plugin.js';

test('check digits are those printed on products', () => {
  // The standard's own example, and a book's.
  assert.equal(checkDigit('400638133393'), '1');
  assert.equal(checkDigit('978030640615'), '7');
});

test('a number becomes the pattern that the standard has for it', () => {
  const pattern = modules('4006381333931').map((isDark) => (isDark ? '1' : '0')).join('');
  const left = '0001101 0100111 0101111 0111101 0001001 0110011';
  const right = '1000010 1000010 1000010 1110100 1000010 1100110';
  assert.equal(pattern, `101${left}01010${right}101`.replaceAll(' ', ''));
});

test('the picture is a PNG of the size that the operator set', () => {
  host({ scale: '2' });
  const [text, picture, structured] = barcode.run({ number: '400638133393' });
  assert.equal(text, 'EAN-13 4006381333931');
  assert.deepEqual(structured, { number: '4006381333931' });
  const png = Buffer.from(picture.data);
  assert.equal(png.readUInt32BE(16), (95 + 2 * 11) * 2);
  assert.equal(png.readUInt32BE(20), 100);
  const length = png.readUInt32BE(33);
  const rows = inflateSync(png.subarray(41, 41 + length));
  assert.equal(rows.length, 100 * (1 + Math.ceil(234 / 8)));
});

test('a slip is found, and a wrong setting is told', () => {
  host();
  assert.throws(() => barcode.run({ number: '4006381333930' }), { kind: 'invalid-arguments', message: /would be 1/ });
  host({ scale: 'big' });
  assert.throws(() => barcode.run({ number: '4006381333931' }), RangeError);
});
