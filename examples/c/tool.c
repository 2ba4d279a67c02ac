// Draws a picture of a text that is always the same for the same text: input schema, image output, a setting, failure.

#include "tool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "png.h"

enum { CELLS = 5, TEXT_MAX = 1024 };

const struct listing tool = {
    .name = "identicon",
    .description = "Draws a small symmetrical picture of a text, the same for the same text: for users without one.",
    .input_schema =
        "{\"type\":\"object\",\"properties\":{"
        "\"text\":{\"type\":\"string\",\"description\":\"What is drawn, such as a name.\"},"
        "\"cell\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":64,\"default\":16,"
        "\"description\":\"Pixels of one of the five cells, each way.\"}},"
        "\"required\":[\"text\"],\"additionalProperties\":false}",
    .amount = "0.005",
    .currency = "USD",
};

// FNV-1a: enough for pictures, and nothing else.
static uint64_t hashed(const char *text) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash ^ hash >> 29;
}

bool tool_run(const char *arguments, struct answer *answer, struct problem *problem) {
    char *text = json_string(arguments, "text");
    size_t cell = (size_t)json_number(arguments, "cell", 16);
    size_t length = text ? strlen(text) : 0;
    if (!length || length > TEXT_MAX || cell < 1 || cell > 64) {
        free(text);
        *problem = (struct problem){true, "`text` is empty or longer than 1024 bytes"};
        return false;
    }
    uint64_t hash = hashed(text);
    free(text);
    uint8_t colour[3] = {64 + (hash >> 40) % 160, 64 + (hash >> 48) % 160, 64 + (hash >> 56) % 160};
    char *grey = host_setting("grey");
    if (grey) memset(colour, 96, sizeof colour);
    free(grey);
    size_t side = CELLS * cell;
    uint8_t *pixels = malloc(side * side * 3);
    if (!pixels) abort();
    for (size_t y = 0; y < side; y++) {
        for (size_t x = 0; x < side; x++) {
            size_t column = x / cell, mirrored = column < 3 ? column : CELLS - 1 - column;
            bool on = hash >> (y / cell * 3 + mirrored) & 1;
            for (int part = 0; part < 3; part++) pixels[(y * side + x) * 3 + part] = on ? colour[part] : 240;
        }
        host_progress((double)(y + 1), (double)side, "drawing");
    }
    answer->image = png(pixels, side, side, &answer->image_length);
    answer->image_type = "image/png";
    free(pixels);
    return true;
}
