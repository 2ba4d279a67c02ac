// Data and error correction as bytes: Reed-Solomon over GF(256), in blocks that are interleaved (clauses 7.5 and 7.6).

#include "qr.h"

#include <string.h>

enum { CORRECTION_MAX = 30 };

// Table 9: bytes of error correction in each block, by level and version.
static const uint8_t correction[4][VERSION_MAX] = {
    {7,  10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
     28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30},
    {10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
     26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28},
    {13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30,
     28, 30, 30, 30, 30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30},
    {17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28,
     30, 24, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30},
};

// The same table: how many blocks.
static const uint8_t blocks[4][VERSION_MAX] = {
    {1, 1, 1,  1,  1,  2,  2,  2,  2,  4,  4,  4,  4,  4,  6,  6,  6,  6,  7,  8,
     8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25},
    {1,  1,  1,  2,  2,  4,  4,  4,  5,  5,  5,  8,  9,  9,  10, 10, 11, 13, 14, 16,
     17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49},
    {1,  1,  2,  2,  4,  4,  6,  6,  8,  8,  8,  10, 12, 16, 12, 17, 16, 18, 21, 20,
     23, 23, 25, 27, 29, 34, 34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68},
    {1,  1,  2,  4,  4,  4,  5,  6,  8,  8,  11, 11, 16, 16, 18, 16, 19, 21, 25, 25,
     25, 34, 30, 32, 35, 37, 40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81},
};

size_t codewords_all(int version) {
    // All modules, less the finders with format and timing, the alignment patterns and the version.
    size_t v = (size_t)version, modules = (16 * v + 128) * v + 64;
    if (v >= 2) {
        size_t patterns = v / 7 + 2;
        modules -= (25 * patterns - 10) * patterns - 55;
    }
    return (v >= 7 ? modules - 36 : modules) / 8;
}

size_t codewords_data(int version, enum level level) {
    return codewords_all(version) - (size_t)correction[level][version - 1] * blocks[level][version - 1];
}

// In GF(256) with the polynomial x^8 + x^4 + x^3 + x^2 + 1.
static uint8_t multiply(uint8_t a, uint8_t b) {
    unsigned product = 0;
    for (int bit = 7; bit >= 0; bit--) {
        product = product << 1 ^ (product >> 7) * 0x11d;
        if (b >> bit & 1) product ^= a;
    }
    return (uint8_t)product;
}

// The product of (x - 2^0) to (x - 2^(degree-1)), without its first factor, which is 1.
static void generator(uint8_t *factors, size_t degree) {
    memset(factors, 0, degree);
    factors[degree - 1] = 1;
    for (uint8_t root = 1, times = 0; times < degree; times++, root = multiply(root, 2)) {
        for (size_t at = 0; at < degree; at++) {
            factors[at] = multiply(factors[at], root);
            if (at + 1 < degree) factors[at] ^= factors[at + 1];
        }
    }
}

// What is left when the data is divided by the generator.
static void remainder_of(const uint8_t *data, size_t length, const uint8_t *factors, size_t degree, uint8_t *rest) {
    memset(rest, 0, degree);
    while (length--) {
        uint8_t factor = *data++ ^ rest[0];
        memmove(rest, rest + 1, degree - 1);
        rest[degree - 1] = 0;
        for (size_t at = 0; at < degree; at++) rest[at] ^= multiply(factors[at], factor);
    }
}

// A terminator of up to four zeros, zeros to the byte's end, then two bytes in turn (clause 7.4.10).
static void fill(struct bits *data, size_t capacity) {
    size_t used = (data->length + 7) / 8;
    bool has_room = data->length + 4 > used * 8 && used < capacity;
    if (has_room) data->bytes[used++] = 0;
    for (uint8_t pad = 0xec; used < capacity; pad ^= 0xec ^ 0x11) data->bytes[used++] = pad;
    data->length = capacity * 8;
}

void codewords_make(struct bits *data, int version, enum level level, uint8_t *codewords) {
    size_t all = codewords_all(version), degree = correction[level][version - 1], count = blocks[level][version - 1];
    // The last blocks have one more byte of data than the first.
    size_t short_length = all / count - degree, shorts = count - all % count;
    uint8_t factors[CORRECTION_MAX], rest[CORRECTION_MAX];
    fill(data, codewords_data(version, level));
    generator(factors, degree);
    const uint8_t *from = data->bytes;
    for (size_t block = 0; block < count; block++) {
        size_t length = short_length + (block >= shorts);
        for (size_t at = 0; at < length; at++) {
            size_t row = at * count + block;
            codewords[at < short_length ? row : short_length * count + block - shorts] = from[at];
        }
        remainder_of(from, length, factors, degree, rest);
        for (size_t at = 0; at < degree; at++) codewords[all - degree * count + at * count + block] = rest[at];
        from += length;
    }
}
