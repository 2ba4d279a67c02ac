// UTF-8 for an engine without TextEncoder.

/** The bytes of `text`; half a surrogate pair becomes U+FFFD. */
export function utf8(text) {
  const bytes = [];
  for (const character of text) {
    const point = character.codePointAt(0);
    push(point >= 0xd800 && point <= 0xdfff ? 0xfffd : point, bytes);
  }
  return new Uint8Array(bytes);
}

function push(point, bytes) {
  if (point < 0x80) {
    bytes.push(point);
    return;
  }
  const more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  bytes.push([0, 0xc0, 0xe0, 0xf0][more] | (point >> (6 * more)));
  for (let left = more - 1; left >= 0; left -= 1) bytes.push(0x80 | ((point >> (6 * left)) & 0x3f));
}
