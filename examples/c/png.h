// Writes a PNG without compression: RFC 2083, with the stored blocks of RFC 1951.
#ifndef PNG_H
#define PNG_H

#include <stddef.h>
#include <stdint.h>

// The file of a picture of 8-bit red, green and blue, for the caller to free, and its length in bytes.
uint8_t *png(const uint8_t *pixels, size_t width, size_t height, size_t *length);

#endif
