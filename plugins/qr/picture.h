// What a code looks like. Both have a border of light modules, and are for the caller to free.
#ifndef PICTURE_H
#define PICTURE_H

#include "qr.h"

// A PNG (RFC 2083) of one bit a pixel, `scale` pixels a module, and its length in bytes.
uint8_t *picture_png(const struct code *code, size_t scale, size_t border, size_t *length);

// An SVG one unit a module.
char *picture_svg(const struct code *code, size_t scale, size_t border);

// Lines of block characters, two modules each: dark on light paper.
char *picture_text(const struct code *code, size_t border);

#endif
