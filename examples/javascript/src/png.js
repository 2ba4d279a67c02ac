// PNG files of one bit a pixel: 1 is white.

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});
/** A stored block of deflate holds no more, bytes. */
const BLOCK_MAX = 0xffff;

/** A PNG of `height` rows that are all alike. */
export function striped(dark, height) {
  const row = new Uint8Array(1 + Math.ceil(dark.length / 8));
  dark.forEach((isDark, x) => {
    if (!isDark) row[1 + (x >> 3)] |= 0x80 >> (x & 7);
  });
  const pixels = new Uint8Array(row.length * height);
  for (let y = 0; y < height; y += 1) pixels.set(row, y * row.length);
  const header = [...u32(dark.length), ...u32(height), 1, 0, 0, 0, 0];
  return Uint8Array.from([
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a,
    ...chunk('IHDR', header),
    ...chunk('IDAT', stored(pixels)),
    ...chunk('IEND', []),
  ]);
}

function chunk(name, data) {
  const body = [...[...name].map((letter) => letter.charCodeAt(0)), ...data];
  return [...u32(data.length), ...body, ...u32(crc(body))];
}

/** A zlib stream without compression. */
function stored(bytes) {
  const stream = [0x78, 0x01];
  for (let at = 0; at < bytes.length; at += BLOCK_MAX) {
    const block = bytes.subarray(at, at + BLOCK_MAX);
    const isLast = at + BLOCK_MAX >= bytes.length ? 1 : 0;
    stream.push(isLast, ...u16(block.length), ...u16(~block.length & 0xffff), ...block);
  }
  return [...stream, ...u32(adler(bytes))];
}

function crc(bytes) {
  return ~bytes.reduce((crc, byte) => CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8), 0xffffffff) >>> 0;
}

function adler(bytes) {
  let [low, high] = [1, 0];
  for (const byte of bytes) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  return ((high << 16) | low) >>> 0;
}

function u32(value) {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

/** Little-endian, as deflate has it. */
function u16(value) {
  return [value & 0xff, value >>> 8];
}
