// EAN-13: which modules of a barcode are dark.

const MODULES = 95;
/** Of the left half with odd parity; the others follow from it. */
const DIGITS = ['0001101', '0011001', '0010011', '0111101', '0100011', '0110001', '0101111', '0111011', '0110111', '0001011'];
/** The first digit is not drawn: it is in the parities of the left half. */
const PARITIES = ['OOOOOO', 'OOEOEE', 'OOEEOE', 'OOEEEO', 'OEOOEE', 'OEEOOE', 'OEEEOO', 'OEOEOE', 'OEOEEO', 'OEEOEO'];

/** The digit that makes the weighted sum of all thirteen a multiple of ten. */
export function checkDigit(twelve) {
  const sum = [...twelve].reduce((sum, digit, at) => sum + Number(digit) * (at % 2 === 0 ? 1 : 3), 0);
  return String((10 - (sum % 10)) % 10);
}

/** The 95 modules of those thirteen digits, left to right: true is dark. */
export function modules(thirteen) {
  const [first, ...rest] = [...thirteen].map(Number);
  const left = rest.slice(0, 6).map((digit, at) => (PARITIES[first][at] === 'O' ? DIGITS[digit] : even(digit)));
  const right = rest.slice(6).map((digit) => inverted(DIGITS[digit]));
  const pattern = ['101', ...left, '01010', ...right, '101'].join('');
  return Array.from({ length: MODULES }, (_, at) => pattern[at] === '1');
}

function inverted(bits) {
  return bits.replace(/[01]/g, (bit) => (bit === '0' ? '1' : '0'));
}

function even(digit) {
  return [...inverted(DIGITS[digit])].reverse().join('');
}
