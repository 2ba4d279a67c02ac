// Words that agreements need: numbers as they are written, and a caller's own words as they can stand in Markdown.

const ONES = [
  'zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve', 'thirteen',
  'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen',
];
const TENS = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];

/** A count as agreements write it, words and figures: `thirty (30) days`. Of 0 to 999. */
export function count(number: number, unit: string): string {
  return `${spelled(number)} (${number}) ${unit}${number === 1 ? '' : 's'}`;
}

function spelled(number: number): string {
  if (number < 20) return ONES[number]!;
  if (number < 100) return TENS[Math.floor(number / 10)]! + (number % 10 === 0 ? '' : `-${ONES[number % 10]}`);
  const rest = number % 100;
  return `${ONES[Math.floor(number / 100)]} hundred${rest === 0 ? '' : ` and ${spelled(rest)}`}`;
}

/** An amount with its thousands apart: `12500.5` is `12,500.50`, since money has two digits. */
export function amount(decimal: string): string {
  const [whole, part] = decimal.split('.') as [string, string | undefined];
  const grouped = whole.replace(/^0+(?=\d)/, '').replace(/\B(?=(\d{3})+$)/g, ',');
  return part === undefined ? grouped : `${grouped}.${part.padEnd(2, '0')}`;
}

/** What separates lines. */
const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
/** What has no width, but for the joiners between letters, which are spelling in Persian, Sinhala and others. */
const UNSEEN = /(?<=[\p{L}\p{M}])([\u200c\u200d])(?=\p{L})|\p{Cf}/gu;
/** What renderers make links or mentions of, escaped or not. */
const ADDRESS = /([^\s`<>()[\]"']*(?::\/\/|www\.|@(?=[\p{L}\p{N}._-]))(?:[^\s`<>()[\]"']*[^\s`<>()[\]"'.,;:!?])?)/giu;

const MARKUP = /[\\`*_[\]<>|~#!]|&(?=#?\w+;)/g;

/** A caller's words on one line. */
export function line(text: string): string {
  return text.replace(BREAKS, ' ').replace(UNSEEN, '$1').replace(/\s+/gu, ' ').trim();
}

/** `line`, meaning nothing to Markdown: nobody slips a clause or a link into the agreement. */
export function plain(text: string): string {
  const parts = line(text).split(ADDRESS);
  // Code is the one thing that no renderer looks for links in.
  const escaped = parts.map((part, at) => (at % 2 === 1 ? `\`${part}\`` : part.replace(MARKUP, '\\$&'))).join('');
  return escaped.replace(/^(\d+)([.)])/, '$1\\$2').replace(/^[-+]/, '\\$&');
}

/** `plain`, without the full stop that the sentence around it has. */
export function phrase(text: string): string {
  return plain(text).replace(/[.;,\s]+$/u, '');
}
