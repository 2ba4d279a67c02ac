// A PNG, compressed by runs alone: rows of modules repeat, and so do their bytes.

#include "picture.h"

#include <stdlib.h>
#include <string.h>

// A deflate stream (RFC 1951) being written: the lowest bit of each byte first.
struct stream {
    uint8_t *bytes;
    size_t length, room; // bytes
    unsigned waiting;
    int count; // of bits that wait
};

static void put(struct stream *to, unsigned value, int count) {
    to->waiting |= value << to->count;
    for (to->count += count; to->count >= 8; to->count -= 8, to->waiting >>= 8) {
        if (to->length == to->room) {
            to->room = to->room * 2 + 256;
            to->bytes = realloc(to->bytes, to->room);
            if (!to->bytes) abort();
        }
        to->bytes[to->length++] = (uint8_t)to->waiting;
    }
}

// Huffman codes are written from their highest bit.
static void put_code(struct stream *to, unsigned code, int count) {
    while (count--) put(to, code >> count & 1, 1);
}

// The fixed code of a literal, a length or the end (clause 3.2.6).
static void put_symbol(struct stream *to, unsigned symbol) {
    if (symbol < 144) put_code(to, 0x30 + symbol, 8);
    else if (symbol < 256) put_code(to, 0x190 + symbol - 144, 9);
    else if (symbol < 280) put_code(to, symbol - 256, 7);
    else put_code(to, 0xc0 + symbol - 280, 8);
}

// The byte before, 3 to 258 times more (clause 3.2.5).
static void put_run(struct stream *to, unsigned length) {
    if (length == 258) {
        put_symbol(to, 285);
    } else {
        unsigned offset = length - 3;
        int extra = 0;
        while (offset >> (extra + 3)) extra++;
        put_symbol(to, 257 + (unsigned)extra * 4 + (offset >> extra));
        put(to, offset & ((1u << extra) - 1), extra);
    }
    put_code(to, 0, 5);
}

// zlib's frame (RFC 1950) around one block.
static void deflate(struct stream *to, const uint8_t *bytes, size_t length) {
    put(to, 0x0178, 16);
    put(to, 3, 3);
    uint32_t a = 1, b = 0;
    for (size_t at = 0; at < length;) {
        size_t run = 0;
        while (at && at + run < length && run < 258 && bytes[at + run] == bytes[at - 1]) run++;
        if (run < 3) run = 1, put_symbol(to, bytes[at]);
        else put_run(to, (unsigned)run);
        for (; run; run--, at++) a = (a + bytes[at]) % 65521, b = (b + a) % 65521;
    }
    put_symbol(to, 256);
    put(to, 0, (8 - to->count) % 8);
    for (int shift = 8; shift >= 0; shift -= 8) put(to, b >> shift & 0xff, 8);
    for (int shift = 8; shift >= 0; shift -= 8) put(to, a >> shift & 0xff, 8);
}

// Each row with its filter: none, or the difference to the row above, which is nothing for most rows.
static uint8_t *rows(const struct code *code, size_t scale, size_t border, size_t *length) {
    size_t side = (code->side + border * 2) * scale, row = (side + 7) / 8 + 1;
    uint8_t *raw = calloc(side, row);
    if (!raw) abort();
    for (size_t y = 0; y < side; y++) {
        uint8_t *to = raw + y * row;
        if (y % scale) {
            *to = 2;
            continue;
        }
        // Light is 1; what is beyond the picture's side does not matter.
        memset(to + 1, 0xff, row - 1);
        size_t line = y / scale - border;
        if (line >= code->side) continue;
        for (size_t x = border * scale; x < side - border * scale; x++) {
            if (code->dark[line * code->side + x / scale - border]) to[1 + x / 8] ^= 0x80 >> x % 8;
        }
    }
    *length = side * row;
    return raw;
}

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

uint8_t *picture_png(const struct code *code, size_t scale, size_t border, size_t *length) {
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    size_t side = (code->side + border * 2) * scale, raw_length;
    uint8_t *raw = rows(code, scale, border, &raw_length);
    struct stream packed = {0};
    deflate(&packed, raw, raw_length);
    free(raw);
    // One bit a pixel, grey.
    uint8_t head[13] = {[8] = 1};
    uint8_t *file = malloc(sizeof signature + packed.length + sizeof head + 3 * 12), *to = file;
    if (!file) abort();
    put32(head, (uint32_t)side), put32(head + 4, (uint32_t)side);
    memcpy(to, signature, sizeof signature);
    to = put_chunk(to + sizeof signature, "IHDR", head, sizeof head);
    to = put_chunk(to, "IDAT", packed.bytes, packed.length);
    to = put_chunk(to, "IEND", NULL, 0);
    free(packed.bytes);
    *length = (size_t)(to - file);
    return file;
}
