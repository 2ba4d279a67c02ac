// The tests of the tool, on this machine: `zig cc -o build/test test.c tool.c bits.c codewords.c matrix.c qr.c png.c
// vector.c && build/test`. With an argument it prints codes instead, for an independent reader: each version at each
// level, filled to the last bit, in each mode and in mixtures.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"
#include "tool.h"

// In tests there is no host.
char *host_setting(const char *key) { return (void)key, NULL; }
void host_progress(double done, double total, const char *message) { (void)done, (void)total, (void)message; }

static int passed, failed;
static struct code code;

static void expect(bool true_here, const char *what) {
    *(true_here ? &passed : &failed) += 1;
    if (true_here) return;
    fprintf(stderr, "not so: %s\n", what);
}

static bool encoded(const char *text, enum level level) {
    return qr_encode((const uint8_t *)text, strlen(text), level, &code);
}

// Table 7: what the largest codes hold.
static void the_largest_codes_hold_what_the_standard_says(void) {
    static const struct {
        char letter;
        size_t most[4];
    } modes[] = {{'7', {7089, 5596, 3993, 3057}}, {'Q', {4296, 3391, 2420, 1852}}, {'q', {2953, 2331, 1663, 1273}}};
    static char text[TEXT_MAX + 2];
    for (size_t mode = 0; mode < 3; mode++) {
        for (int level = 0; level < 4; level++) {
            size_t most = modes[mode].most[level];
            memset(text, modes[mode].letter, most + 1);
            text[most + 1] = 0;
            expect(!encoded(text, (enum level)level), "a letter more is too long");
            text[most] = 0;
            expect(encoded(text, (enum level)level) && code.version == 40, "the longest text fits");
            expect((int)code.level == level, "at its level");
        }
    }
}

static void levels_rise_where_that_costs_nothing(void) {
    expect(encoded("A", LEVEL_L) && code.version == 1 && code.level == LEVEL_H, "a letter has the highest level");
    expect(encoded("12345678901234567890123456789012345678901", LEVEL_L) && code.version == 1, "41 digits are the least code");
    expect(code.level == LEVEL_L, "which has no room for more");
    expect(encoded("HELLO WORLD", LEVEL_Q) && code.version == 1 && code.level == LEVEL_Q, "eleven letters fit at Q");
}

// A mixture is shorter than the mode that can write all of it.
static void modes_change_where_that_is_shorter(void) {
    static struct bits bits;
    const char *text = "order 12345678901234567890 of ABCDEFGHIJKLMNOPQRST";
    expect(bits_write(&bits, (const uint8_t *)text, strlen(text), 5, 10000), "it is written");
    expect(bits.length == (4 + 8 + 6 * 8) + (4 + 10 + 67) + (4 + 8 + 3 * 8) + (4 + 9 + 116), "in four segments");
    expect(bits_write(&bits, (const uint8_t *)"a1b2", 4, 5, 10000) && bits.length == 4 + 8 + 32, "and in one where that is less");
}

static void calls_are_answered(void) {
    struct answer answer = {0};
    struct problem problem = {0};
    expect(tool_run("{\"text\":\"hi\"}", &answer, &problem), "a text is drawn");
    expect(answer.image && !memcmp(answer.image, "\x89PNG", 4), "as a PNG");
    expect(!strcmp(answer.text, "A QR code of version 1 (21 by 21 modules), error correction H, mask 0."), answer.text);
    free(answer.image), free(answer.text);
    answer = (struct answer){0};
    expect(tool_run("{\"format\":\"svg\",\"text\":\"hi\"}", &answer, &problem) && !answer.image, "and as SVG");
    expect(strstr(answer.text, "viewBox=\"0 0 29 29\"") && strstr(answer.text, "M4 4h7v1h-7z"), "with its finder");
    free(answer.text);
    answer = (struct answer){0};
    expect(tool_run("{\"border\":0,\"format\":\"text\",\"text\":\"hi\"}", &answer, &problem), "and as text");
    expect(strlen(answer.text) > 21 * 11 && !strncmp(answer.text, "█▀▀▀▀▀█", 21), "with its finder");
    free(answer.text);
    static char long_call[3100] = "{\"text\":\"";
    memset(long_call + 9, 'x', 2954), strcpy(long_call + 9 + 2954, "\"}");
    expect(!tool_run(long_call, &answer, &problem) && problem.of_arguments, "what is too long is told so");
    expect(!tool_run("{\"text\":\"\"}", &answer, &problem) && problem.of_arguments, "and what is empty");
}

static void print_code(const char *text, size_t length) {
    printf("%d %c %d ", code.version, "LMQH"[code.level], code.mask);
    for (size_t at = 0; at < length; at++) printf("%02x", (unsigned char)text[at]);
    putchar(' ');
    for (size_t at = 0; at < code.side * code.side; at++) putchar(code.dark[at] ? '1' : '0');
    putchar('\n');
}

// Each version at each level, by the longest text that fits, with letters of one mode, or of all in turn.
static void print_codes(void) {
    static const char *const letters[] = {"0123456789", "ABC $%*+-./:XYZ019", "abcdefghijklmnopqrstuvwxyz,;!", "ab123456789012XYZ/ABCDEFGHIJKLMNOPü"};
    static char text[TEXT_MAX + 1];
    static struct bits bits;
    for (size_t kind = 0; kind < 4; kind++) {
        for (int level = 0; level < 4; level++) {
            for (int version = 1; version <= VERSION_MAX; version++) {
                // The longest one is between a length that fits and one that does not.
                size_t fits = 0, too_long = TEXT_MAX + 1;
                for (size_t at = 0; at < TEXT_MAX; at++) text[at] = letters[kind][(at * 7 + at / 11) % strlen(letters[kind])];
                if (kind == 3) for (size_t at = 0; at < TEXT_MAX; at++) text[at] = letters[3][at % strlen(letters[3])];
                while (too_long - fits > 1) {
                    size_t middle = (fits + too_long) / 2;
                    bool fit = bits_write(&bits, (const uint8_t *)text, middle, version, codewords_data(version, level) * 8);
                    *(fit ? &fits : &too_long) = middle;
                }
                if (fits && qr_encode((const uint8_t *)text, fits, (enum level)level, &code)) print_code(text, fits);
            }
        }
    }
}

int main(int count, char **arguments) {
    if (count > 1 && !strcmp(arguments[1], "codes")) return print_codes(), 0;
    the_largest_codes_hold_what_the_standard_says();
    levels_rise_where_that_costs_nothing();
    modes_change_where_that_is_shorter();
    calls_are_answered();
    printf("test result: %d passed; %d failed\n", passed, failed);
    return failed != 0;
}
