// The modules: patterns, codewords, the mask of the least penalty, format and version (clauses 6.3, 7.7 to 7.10).

#include "qr.h"

#include <stdlib.h>
#include <string.h>

// A code being drawn, and which of its modules carry no data.
struct drawing {
    struct code *code;
    uint8_t fixed[SIDE_MAX * SIDE_MAX];
};

static void set(struct drawing *drawing, size_t x, size_t y, bool dark) {
    size_t at = y * drawing->code->side + x;
    drawing->code->dark[at] = dark;
    drawing->fixed[at] = 1;
}

// Nested squares around a place: of the distances to it, those in `light` are light.
static void squares(struct drawing *drawing, int x, int y, int reach, unsigned light) {
    int side = (int)drawing->code->side;
    for (int dy = -reach; dy <= reach; dy++) {
        for (int dx = -reach; dx <= reach; dx++) {
            int distance = abs(dx) > abs(dy) ? abs(dx) : abs(dy);
            if (x + dx < 0 || x + dx >= side || y + dy < 0 || y + dy >= side) continue;
            set(drawing, (size_t)(x + dx), (size_t)(y + dy), !(light >> distance & 1));
        }
    }
}

// Annex E.
static size_t alignment(int version, int places[7]) {
    if (version == 1) return 0;
    int count = version / 7 + 2, side = version * 4 + 17;
    int step = version == 32 ? 26 : (version * 4 + count * 2 + 1) / (count * 2 - 2) * 2;
    for (int at = count - 1, place = side - 7; at > 0; at--, place -= step) places[at] = place;
    places[0] = 6;
    return (size_t)count;
}

static void patterns(struct drawing *drawing) {
    int side = (int)drawing->code->side, places[7];
    for (int at = 0; at < side; at++) {
        set(drawing, 6, (size_t)at, at % 2 == 0);
        set(drawing, (size_t)at, 6, at % 2 == 0);
    }
    // The finders, with the light line that parts them from the rest.
    squares(drawing, 3, 3, 4, 1 << 2 | 1 << 4);
    squares(drawing, side - 4, 3, 4, 1 << 2 | 1 << 4);
    squares(drawing, 3, side - 4, 4, 1 << 2 | 1 << 4);
    size_t count = alignment(drawing->code->version, places);
    for (size_t row = 0; row < count; row++) {
        for (size_t column = 0; column < count; column++) {
            bool at_finder = (row == 0 && column == 0) || (row == 0 && column == count - 1) || (row == count - 1 && column == 0);
            if (!at_finder) squares(drawing, places[column], places[row], 2, 1 << 1);
        }
    }
}

// Level and mask with their own error correction, twice (clause 7.9).
static void format(struct drawing *drawing, int mask) {
    static const unsigned levels[4] = {1, 0, 3, 2};
    size_t side = drawing->code->side;
    unsigned data = levels[drawing->code->level] << 3 | (unsigned)mask, rest = data;
    for (int times = 0; times < 10; times++) rest = rest << 1 ^ (rest >> 9) * 0x537;
    unsigned bits = (data << 10 | rest) ^ 0x5412;
    for (size_t bit = 0; bit < 15; bit++) {
        bool dark = bits >> bit & 1;
        if (bit < 6) set(drawing, 8, bit, dark);
        else if (bit < 8) set(drawing, 8, bit + 1, dark);
        else if (bit == 8) set(drawing, 7, 8, dark);
        else set(drawing, 14 - bit, 8, dark);
        if (bit < 8) set(drawing, side - 1 - bit, 8, dark);
        else set(drawing, 8, side - 15 + bit, dark);
    }
    set(drawing, 8, side - 8, true);
}

// From version 7 on, twice (clause 7.10).
static void version(struct drawing *drawing) {
    unsigned data = (unsigned)drawing->code->version, rest = data;
    if (data < 7) return;
    for (int times = 0; times < 12; times++) rest = rest << 1 ^ (rest >> 11) * 0x1f25;
    unsigned bits = data << 12 | rest;
    for (size_t bit = 0; bit < 18; bit++) {
        size_t far = drawing->code->side - 11 + bit % 3, near = bit / 3;
        set(drawing, far, near, bits >> bit & 1);
        set(drawing, near, far, bits >> bit & 1);
    }
}

// Up and down in columns two wide, from the lower right; past the timing pattern (clause 7.7.3).
static void place(struct drawing *drawing, const uint8_t *codewords) {
    size_t side = drawing->code->side, bits = codewords_all(drawing->code->version) * 8, bit = 0;
    bool up = true;
    for (size_t right = side - 1; right < side; right = right == 8 ? 5 : right - 2, up = !up) {
        for (size_t step = 0; step < side * 2; step++) {
            size_t y = up ? side - 1 - step / 2 : step / 2, at = y * side + right - step % 2;
            if (drawing->fixed[at] || bit >= bits) continue;
            drawing->code->dark[at] = codewords[bit / 8] >> (7 - bit % 8) & 1;
            bit++;
        }
    }
}

static bool masked(int mask, size_t x, size_t y) {
    switch (mask) {
        case 0: return (x + y) % 2 == 0;
        case 1: return y % 2 == 0;
        case 2: return x % 3 == 0;
        case 3: return (x + y) % 3 == 0;
        case 4: return (x / 3 + y / 2) % 2 == 0;
        case 5: return x * y % 2 + x * y % 3 == 0;
        case 6: return (x * y % 2 + x * y % 3) % 2 == 0;
        default: return ((x + y) % 2 + x * y % 3) % 2 == 0;
    }
}

// Twice is never.
static void apply(struct drawing *drawing, int mask) {
    size_t side = drawing->code->side;
    for (size_t at = 0; at < side * side; at++) drawing->code->dark[at] ^= !drawing->fixed[at] && masked(mask, at % side, at / side);
}

// What one row or column costs: runs of one colour, and what looks like a finder. The quiet zone counts as light.
static long line_penalty(const uint8_t *from, size_t step, size_t side) {
    long penalty = 0;
    size_t run = 0;
    unsigned seen = 0;
    for (size_t at = 0; at < side + 4; at++) {
        unsigned dark = at < side ? from[at * step] : 0;
        if (at < side) {
            run = at && dark == (seen & 1) ? run + 1 : 1;
            if (run >= 5) penalty += run == 5 ? 3 : 1;
        }
        seen = (seen << 1 | dark) & 0x7ff;
        // 1:1:3:1:1, with four light modules on a side.
        if (seen == 0x05d || seen == 0x5d0) penalty += 40;
    }
    return penalty;
}

// Clause 7.8.3.
static long penalty(const struct code *code) {
    long sum = 0;
    size_t side = code->side, dark = 0;
    for (size_t line = 0; line < side; line++) {
        sum += line_penalty(code->dark + line * side, 1, side) + line_penalty(code->dark + line, side, side);
    }
    for (size_t y = 0; y < side; y++) {
        for (size_t x = 0; x < side; x++) {
            const uint8_t *at = code->dark + y * side + x;
            dark += *at;
            if (x + 1 < side && y + 1 < side && at[0] == at[1] && at[0] == at[side] && at[0] == at[side + 1]) sum += 3;
        }
    }
    // Ten for each whole twentieth that the dark part is off a half.
    long off = labs((long)(dark * 20) - (long)(side * side * 10));
    return sum + off / (long)(side * side) * 10;
}

void matrix_draw(struct code *code, const uint8_t *codewords) {
    struct drawing *drawing = calloc(1, sizeof *drawing);
    if (!drawing) abort();
    drawing->code = code;
    patterns(drawing);
    version(drawing);
    format(drawing, 0);
    place(drawing, codewords);
    long least = -1;
    for (int mask = 0; mask < 8; mask++) {
        apply(drawing, mask);
        format(drawing, mask);
        long cost = penalty(code);
        if (least < 0 || cost < least) least = cost, code->mask = mask;
        apply(drawing, mask);
    }
    apply(drawing, code->mask);
    format(drawing, code->mask);
    free(drawing);
}
