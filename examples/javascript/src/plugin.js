// Draws barcodes: an input and an output schema, a picture, progress, a setting, a failure.

import { Failure, image, plugin, progress, setting, tool } from '@coinop/plugin';
import { checkDigit, modules } from './ean13.js';
import { striped } from './png.js';

/** Light modules that scanners need on the left and on the right. */
const QUIET = 11;
const HEIGHT_IN_MODULES = 50;
const SCALE_MAX = 10;

export const barcode = tool({
  name: 'barcode',
  title: 'EAN-13 barcode',
  description: 'Draws the EAN-13 barcode of a product number as a PNG. Twelve digits get their check digit; thirteen are checked.',
  input: {
    type: 'object',
    properties: { number: { type: 'string', pattern: '^[0-9]{12,13}$', description: 'Twelve or thirteen digits.' } },
    required: ['number'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: { number: { type: 'string', description: 'All thirteen digits.' } },
    required: ['number'],
  },
  effects: 'pure',
  run({ number }) {
    const checked = withCheckDigit(number);
    const scale = scaleSetting();
    progress(0, 1, 'drawing');
    const quiet = Array(QUIET).fill(false);
    const dark = [...quiet, ...modules(checked), ...quiet].flatMap((isDark) => Array(scale).fill(isDark));
    const png = striped(dark, HEIGHT_IN_MODULES * scale);
    progress(1, 1, 'drawn');
    return [`EAN-13 ${checked}`, image(png, 'image/png'), { number: checked }];
  },
});

function withCheckDigit(number) {
  const twelve = number.slice(0, 12);
  const digit = checkDigit(twelve);
  if (number.length === 13 && number[12] !== digit) {
    throw Failure.invalid(`\`number\` ends with ${number[12]}, and its check digit would be ${digit}: look for a slip`);
  }
  return twelve + digit;
}

/** Pixels a module: the operator's choice. */
function scaleSetting() {
  const scale = Number(setting('scale') ?? 3);
  // The operator's mistake, and no secret: the caller is told, and not charged.
  if (!Number.isInteger(scale) || scale < 1 || scale > SCALE_MAX) throw new RangeError(`the setting \`scale\` is not 1 to ${SCALE_MAX}`);
  return scale;
}

export const tools = plugin([barcode]);
