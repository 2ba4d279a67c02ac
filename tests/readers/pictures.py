"""Reads pictures as others do: PNGs by zlib alone, QR codes by zxing-cpp.

`pictures.py png` takes a PNG on stdin and prints its size, how often each colour occurs, and the codes in it.
`pictures.py modules` takes QR codes as lines of 0 and 1, and prints what is in each. All answers are JSON, one a line.
"""

import collections
import json
import struct
import sys
import zlib

import zxingcpp

SCALE, BORDER = 3, 4


def codes(grey: bytes, width: int, height: int) -> list[dict[str, str]]:
    """The QR codes in a picture of one byte a pixel."""
    picture = memoryview(grey).cast("B", shape=[height, width])
    # Ours stand upright, dark on light.
    plain = {"try_rotate": False, "try_downscale": False, "try_invert": False}
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode, **plain)
    return [{"text": code.bytes.hex(), "level": code.ec_level} for code in found]


def grey_of(modules: str) -> tuple[bytes, int]:
    """A picture of a code, with the light border that readers want, and its side in pixels."""
    side = round(len(modules) ** 0.5)
    light = b"\xff" * BORDER * SCALE
    pixels = (side + 2 * BORDER) * SCALE
    rows = [b"\xff" * pixels] * (BORDER * SCALE)
    for at in range(0, side * side, side):
        row = b"".join(b"\x00" * SCALE if module == "1" else b"\xff" * SCALE for module in modules[at : at + side])
        rows += [light + row + light] * SCALE
    rows += [b"\xff" * pixels] * (BORDER * SCALE)
    return b"".join(rows), pixels


def unfiltered(raw: bytes, length: int, step: int) -> list[bytearray]:
    """The rows of a PNG without their filters (RFC 2083, clause 6)."""
    rows, above = [], bytearray(length)
    for at in range(0, len(raw), length + 1):
        kind, row = raw[at], bytearray(raw[at + 1 : at + 1 + length])
        for x in range(length):
            left = row[x - step] if x >= step else 0
            corner = above[x - step] if x >= step else 0
            up = above[x]
            estimate = left + up - corner
            nearest = min((left, up, corner), key=lambda value: abs(estimate - value))
            row[x] = (row[x] + (0, left, up, (left + up) // 2, nearest)[kind]) & 0xFF
        rows.append(row)
        above = row
    return rows


def png(file: bytes) -> dict[str, object]:
    """What is to be seen in a PNG of grey, or of red, green and blue with or without alpha."""
    assert file[:8] == b"\x89PNG\r\n\x1a\n", "no PNG"
    at, data = 8, b""
    while at < len(file):
        (length,) = struct.unpack(">I", file[at : at + 4])
        kind, body = file[at + 4 : at + 8], file[at + 8 : at + 8 + length]
        (check,) = struct.unpack(">I", file[at + 8 + length : at + 12 + length])
        assert check == zlib.crc32(kind + body), f"{kind!r} is broken"
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            data += body
        at += 12 + length
    channels = {0: 1, 2: 3, 6: 4}[colour]
    assert not interlaced and (depth == 8 or (depth, channels) == (1, 1))
    length = (width * depth * channels + 7) // 8
    rows = unfiltered(zlib.decompress(data), length, max(1, depth * channels // 8))
    colours: collections.Counter[str] = collections.Counter()
    grey = bytearray()
    for row in rows:
        if depth == 1:
            row = bytearray(255 * (row[x // 8] >> (7 - x % 8) & 1) for x in range(width))
        for x in range(0, width * channels, channels):
            colours[row[x : x + min(channels, 3)].hex()] += 1
        grey += row[::channels]
    return {
        "width": width,
        "height": height,
        "colours": dict(colours.most_common(20)),
        "codes": codes(bytes(grey), width, height),
    }


def main() -> None:
    if sys.argv[1] == "png":
        print(json.dumps(png(sys.stdin.buffer.read())))
        return
    for line in sys.stdin:
        grey, pixels = grey_of(line.strip())
        print(json.dumps(codes(grey, pixels, pixels)))


main()
