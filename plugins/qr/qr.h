// A QR code (ISO/IEC 18004:2015, model 2) of a text: from its bytes to its modules. The steps are in bits.c, codewords.c
// and matrix.c; nothing here knows pictures.
#ifndef QR_H
#define QR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VERSION_MAX = 40, SIDE_MAX = 177, CODEWORDS_MAX = 3706, TEXT_MAX = 7089 };

// How much of a code may be lost: about 7, 15, 25 and 30 per cent.
enum level { LEVEL_L, LEVEL_M, LEVEL_Q, LEVEL_H };

// A code: `side` modules each way, row by row, without the quiet zone around them.
struct code {
    int version, mask;
    enum level level;
    size_t side;
    uint8_t dark[SIDE_MAX * SIDE_MAX]; // 1 is dark
};

// The smallest code of at least that level; a higher one where that makes it no larger. False if the text is too long for
// any.
bool qr_encode(const uint8_t *text, size_t length, enum level level, struct code *code);

// The steps.

// Bits in a row, the highest of each byte first. Whoever writes sees to the room.
struct bits {
    uint8_t bytes[CODEWORDS_MAX];
    size_t length; // bits
};

// Writes the text in the shortest mixture of numeric, alphanumeric and byte mode, as versions in the range of `version`
// count it, up to `limit` bits; false if that is not enough.
bool bits_write(struct bits *bits, const uint8_t *text, size_t length, int version, size_t limit);

// How many bytes a version holds, and how many of them are data at a level.
size_t codewords_all(int version);
size_t codewords_data(int version, enum level level);

// Fills the data up, and writes it with its error correction, in the order they are drawn in.
void codewords_make(struct bits *data, int version, enum level level, uint8_t *codewords);

// Draws the code of that version and level, by the mask of the least penalty.
void matrix_draw(struct code *code, const uint8_t *codewords);

#endif
