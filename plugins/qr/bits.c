// The text as bits: which part of it is written in which mode (clause 7.4).

#include "qr.h"

#include <stdlib.h>
#include <string.h>

enum mode { NUMERIC, ALPHANUMERIC, BYTE, MODES };

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
static const unsigned indicator[MODES] = {1, 2, 4};
// Sixths of a bit for each character: three digits take ten bits, two of the alphabet eleven.
static const size_t cost[MODES] = {20, 33, 48};
static const size_t never = (size_t)-1 / 2;

static int count_bits(enum mode mode, int version) {
    static const int bits[MODES][3] = {{10, 12, 14}, {9, 11, 13}, {8, 16, 16}};
    return bits[mode][version < 10 ? 0 : version < 27 ? 1 : 2];
}

static int place(uint8_t byte) {
    const char *found = byte ? strchr(alphabet, byte) : NULL;
    return found ? (int)(found - alphabet) : -1;
}

static bool writes(enum mode mode, uint8_t byte) {
    return mode == BYTE || (mode == NUMERIC ? byte >= '0' && byte <= '9' : place(byte) >= 0);
}

static void put(struct bits *bits, unsigned value, int count) {
    while (count--) {
        if (bits->length % 8 == 0) bits->bytes[bits->length / 8] = 0;
        bits->bytes[bits->length / 8] |= (value >> count & 1) << (7 - bits->length % 8);
        bits->length++;
    }
}

// How long a segment is, in bits.
static size_t segment_bits(enum mode mode, size_t length, int version) {
    static const size_t rest[MODES][3] = {{0, 4, 7}, {0, 6, 0}, {0, 0, 0}};
    static const size_t group[MODES] = {3, 2, 1}, bits[MODES] = {10, 11, 8};
    return 4 + (size_t)count_bits(mode, version) + length / group[mode] * bits[mode] + rest[mode][length % group[mode]];
}

static void put_segment(struct bits *bits, enum mode mode, const uint8_t *text, size_t length, int version) {
    put(bits, indicator[mode], 4);
    put(bits, (unsigned)length, count_bits(mode, version));
    size_t at = 0;
    if (mode == NUMERIC) {
        for (; at < length; at += 3) {
            unsigned value = 0;
            int digits = 0;
            for (; digits < 3 && at + (size_t)digits < length; digits++) value = value * 10 + (text[at + (size_t)digits] - '0');
            put(bits, value, digits * 3 + 1);
        }
    } else if (mode == ALPHANUMERIC) {
        for (; at + 1 < length; at += 2) put(bits, (unsigned)(place(text[at]) * 45 + place(text[at + 1])), 11);
        if (at < length) put(bits, (unsigned)place(text[at]), 6);
    } else {
        for (; at < length; at++) put(bits, text[at], 8);
    }
}

// The modes of all characters, such that the whole is shortest: for each character and mode, from the front, the cheapest
// way to end in that mode; then back along it.
static void choose(const uint8_t *text, size_t length, int version, uint8_t *modes) {
    uint8_t(*from)[MODES] = malloc(length * MODES + 1);
    if (!from) abort();
    size_t best[MODES];
    for (int mode = 0; mode < MODES; mode++) best[mode] = (4 + (size_t)count_bits(mode, version)) * 6;
    for (size_t at = 0; at < length; at++) {
        size_t next[MODES];
        for (int mode = 0; mode < MODES; mode++) {
            next[mode] = never;
            if (!writes(mode, text[at])) continue;
            for (int before = 0; before < MODES; before++) {
                if (best[before] >= never || (at == 0 && before != mode)) continue;
                // A segment ends at a whole bit.
                size_t change = before == mode ? best[before]
                                               : (best[before] + 5) / 6 * 6 + (4 + (size_t)count_bits(mode, version)) * 6;
                if (change + cost[mode] < next[mode]) next[mode] = change + cost[mode], from[at][mode] = (uint8_t)before;
            }
        }
        memcpy(best, next, sizeof best);
    }
    int mode = 0;
    for (int other = 1; other < MODES; other++)
        if (best[other] < best[mode]) mode = other;
    for (size_t at = length; at-- > 0;) modes[at] = (uint8_t)mode, mode = from[at][mode];
    free(from);
}

// The end of the segment that begins at `from`.
static size_t segment_end(const uint8_t *modes, size_t length, size_t from) {
    size_t end = from + 1;
    while (end < length && modes[end] == modes[from]) end++;
    return end;
}

bool bits_write(struct bits *bits, const uint8_t *text, size_t length, int version, size_t limit) {
    bits->length = 0;
    // The shortest there is: digits alone.
    if (segment_bits(NUMERIC, length, version) > limit) return false;
    uint8_t *modes = malloc(length + 1);
    if (!modes) abort();
    choose(text, length, version, modes);
    size_t needed = 0;
    bool counts = true;
    for (size_t at = 0, end; at < length; at = end) {
        end = segment_end(modes, length, at);
        needed += segment_bits(modes[at], end - at, version);
        counts = counts && end - at < (size_t)1 << count_bits(modes[at], version);
    }
    bool fits = counts && needed <= limit;
    for (size_t at = 0, end; fits && at < length; at = end) {
        end = segment_end(modes, length, at);
        put_segment(bits, modes[at], text + at, end - at, version);
    }
    free(modes);
    return fits;
}
