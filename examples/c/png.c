#include "png.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_MAX = 65535 };

static uint32_t crc(const uint8_t *bytes, size_t length) {
    uint32_t sum = 0xffffffffu;
    while (length--) {
        sum ^= *bytes++;
        for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (sum & 1 ? 0xedb88320u : 0);
    }
    return ~sum;
}

static uint8_t *put32(uint8_t *to, uint32_t number) {
    for (int shift = 24; shift >= 0; shift -= 8) *to++ = (uint8_t)(number >> shift);
    return to;
}

static uint8_t *put_chunk(uint8_t *to, const char *kind, const uint8_t *data, size_t length) {
    uint8_t *begin = to = put32(to, (uint32_t)length);
    memcpy(to, kind, 4);
    if (length) memcpy(to + 4, data, length);
    return put32(to + 4 + length, crc(begin, length + 4));
}

// zlib's frame around stored blocks: each row with its filter byte, which is none.
static uint8_t *stored(const uint8_t *pixels, size_t width, size_t height, size_t *length) {
    size_t row = width * 3 + 1, raw = row * height, blocks = (raw + BLOCK_MAX - 1) / BLOCK_MAX;
    uint8_t *data = malloc(raw + blocks * 5 + 6), *to = data;
    if (!data) abort();
    *to++ = 0x78, *to++ = 0x01;
    uint32_t a = 1, b = 0;
    for (size_t at = 0; at < raw; at++) {
        if (at % BLOCK_MAX == 0) {
            size_t left = raw - at, size = left < BLOCK_MAX ? left : BLOCK_MAX;
            *to++ = left <= BLOCK_MAX;
            *to++ = (uint8_t)size, *to++ = (uint8_t)(size >> 8);
            *to++ = (uint8_t)~size, *to++ = (uint8_t)(~size >> 8);
        }
        *to = at % row ? pixels[at / row * (row - 1) + at % row - 1] : 0;
        a = (a + *to++) % 65521, b = (b + a) % 65521;
    }
    to = put32(to, b << 16 | a);
    *length = (size_t)(to - data);
    return data;
}

uint8_t *png(const uint8_t *pixels, size_t width, size_t height, size_t *length) {
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    size_t packed;
    uint8_t *data = stored(pixels, width, height, &packed);
    uint8_t head[13] = {0}, *file = malloc(sizeof signature + packed + sizeof head + 3 * 12), *to = file;
    if (!file) abort();
    put32(head, (uint32_t)width), put32(head + 4, (uint32_t)height);
    head[8] = 8, head[9] = 2;
    memcpy(to, signature, sizeof signature);
    to = put_chunk(to + sizeof signature, "IHDR", head, sizeof head);
    to = put_chunk(to, "IDAT", data, packed);
    to = put_chunk(to, "IEND", NULL, 0);
    free(data);
    *length = (size_t)(to - file);
    return file;
}
