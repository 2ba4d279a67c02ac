// A code as text: SVG, and block characters.

#include "picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *picture_svg(const struct code *code, size_t scale, size_t border) {
    size_t whole = code->side + border * 2;
    // No row has more runs of dark modules than half its length, and none takes more than 24 bytes.
    size_t room = 400 + code->side * (code->side / 2 + 1) * 24, used;
    char *svg = malloc(room);
    if (!svg) abort();
    used = (size_t)snprintf(
        svg, room,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" height=\"%zu\" viewBox=\"0 0 %zu %zu\" "
        "shape-rendering=\"crispEdges\"><rect width=\"%zu\" height=\"%zu\" fill=\"#fff\"/><path d=\"",
        whole * scale, whole * scale, whole, whole, whole, whole);
    for (size_t y = 0; y < code->side; y++) {
        const uint8_t *row = code->dark + y * code->side;
        for (size_t x = 0, end; x < code->side; x = end) {
            for (end = x + 1; end < code->side && row[end] == row[x];) end++;
            if (!row[x]) continue;
            used += (size_t)snprintf(svg + used, room - used, "M%zu %zuh%zuv1h-%zuz", x + border, y + border, end - x, end - x);
        }
    }
    snprintf(svg + used, room - used, "\"/></svg>");
    return svg;
}

static bool is_dark(const struct code *code, size_t border, size_t x, size_t y) {
    // Before the code is beyond it, since sizes have no sign.
    x -= border, y -= border;
    return x < code->side && y < code->side && code->dark[y * code->side + x];
}

char *picture_text(const struct code *code, size_t border) {
    static const char *const blocks[4] = {" ", "▀", "▄", "█"};
    size_t whole = code->side + border * 2;
    char *text = malloc((whole * 3 + 1) * (whole / 2 + 1) + 1), *to = text;
    if (!text) abort();
    for (size_t y = 0; y < whole; y += 2) {
        for (size_t x = 0; x < whole; x++) {
            const char *block = blocks[is_dark(code, border, x, y) | is_dark(code, border, x, y + 1) << 1];
            size_t length = strlen(block);
            memcpy(to, block, length);
            to += length;
        }
        *to++ = '\n';
    }
    *to = 0;
    return text;
}
