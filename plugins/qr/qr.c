// Chooses version and level, and leads through the steps.

#include "qr.h"

#include <stdlib.h>
#include <string.h>

bool qr_encode(const uint8_t *text, size_t length, enum level level, struct code *code) {
    if (length > TEXT_MAX) return false;
    struct bits *data = malloc(sizeof *data);
    uint8_t *codewords = malloc(CODEWORDS_MAX);
    if (!data || !codewords) abort();
    int version = 1;
    while (version <= VERSION_MAX && !bits_write(data, text, length, version, codewords_data(version, level) * 8)) version++;
    bool fits = version <= VERSION_MAX;
    if (fits) {
        while (level < LEVEL_H && data->length <= codewords_data(version, level + 1) * 8) level++;
        codewords_make(data, version, level, codewords);
        memset(code, 0, sizeof *code);
        code->version = version;
        code->level = level;
        code->side = (size_t)version * 4 + 17;
        matrix_draw(code, codewords);
    }
    free(data);
    free(codewords);
    return fits;
}
