// Makes QR codes: input schema, image and text output, failure.

#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "picture.h"

const struct listing tool = {
    .name = "make_qr_code",
    .description =
        "Makes a QR code of a text, such as a link, as a PNG image, as SVG or as block characters. Chooses the smallest "
        "version that holds the text, with at least the error correction that is asked for.",
    .input_schema =
        "{\"type\":\"object\",\"properties\":{"
        "\"text\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":7089,\"pattern\":\"^[^\\\\x00]*$\","
        "\"description\":\"What the code says: a link, a text, WIFI:…;;, and so on. At most 2953 bytes of UTF-8, or 4296 of "
        "0-9 A-Z $%*+-./: and blanks, or 7089 digits.\"},"
        "\"error_correction\":{\"type\":\"string\",\"enum\":[\"L\",\"M\",\"Q\",\"H\"],\"default\":\"M\","
        "\"description\":\"How much of the code may be damaged, at least: about 7, 15, 25 or 30 per cent.\"},"
        "\"format\":{\"type\":\"string\",\"enum\":[\"png\",\"svg\",\"text\"],\"default\":\"png\","
        "\"description\":\"text: block characters, for dark letters on a light ground.\"},"
        "\"scale\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":20,\"default\":8,\"description\":\"Pixels a module.\"},"
        "\"border\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":16,\"default\":4,"
        "\"description\":\"Light modules around the code; readers want four.\"}},"
        "\"required\":[\"text\"],\"additionalProperties\":false}",
    .amount = "0.01",
    .currency = "USD",
};

static const char letters[] = "LMQH";

static enum level level_of(const char *arguments) {
    char *word = json_string(arguments, "error_correction");
    const char *found = word && *word ? strchr(letters, *word) : NULL;
    free(word);
    return found ? (enum level)(found - letters) : LEVEL_M;
}

static char *described(const struct code *code) {
    char *text = malloc(160);
    if (!text) abort();
    snprintf(text, 160, "A QR code of version %d (%zu by %zu modules), error correction %c, mask %d.", code->version,
             code->side, code->side, letters[code->level], code->mask);
    return text;
}

bool tool_run(const char *arguments, struct answer *answer, struct problem *problem) {
    char *text = json_string(arguments, "text"), *format = json_string(arguments, "format");
    size_t scale = (size_t)json_number(arguments, "scale", 8), border = (size_t)json_number(arguments, "border", 4);
    struct code *code = malloc(sizeof *code);
    if (!code) abort();
    bool there = text && *text && scale >= 1 && scale <= 20 && border <= 16;
    bool fits = there && qr_encode((const uint8_t *)text, strlen(text), level_of(arguments), code);
    if (!there) {
        *problem = (struct problem){true, "`text` is empty, or `scale` or `border` is out of its bounds"};
    } else if (!fits) {
        *problem = (struct problem){
            true, "`text` is too long for a QR code: at most 2953 bytes at error correction L, 2331 at M, 1663 at Q and "
                  "1273 at H; more, if there are digits or capital letters only"};
    } else if (format && !strcmp(format, "svg")) {
        answer->text = picture_svg(code, scale, border);
    } else if (format && !strcmp(format, "text")) {
        answer->text = picture_text(code, border);
    } else {
        answer->text = described(code);
        answer->image = picture_png(code, scale, border, &answer->image_length);
        answer->image_type = "image/png";
    }
    free(code);
    free(format);
    free(text);
    return fits;
}
