// Reads the arguments of a tool: members of one JSON object. The host sends it checked by the input schema and in
// canonical form, without white space.
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// The end of the string that begins at `at`.
static const char *json_string_end(const char *at) {
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1]) at++;
    return *at ? at + 1 : at;
}

// The end of the value that begins at `at`.
static const char *json_value_end(const char *at) {
    int depth = 0;
    while (*at) {
        if (*at == '"') {
            at = json_string_end(at);
        } else if (*at == '{' || *at == '[') {
            depth++, at++;
        } else if (depth && (*at == '}' || *at == ']')) {
            depth--, at++;
        } else if (!depth && (*at == ',' || *at == '}' || *at == ']')) {
            return at;
        } else {
            at++;
            continue;
        }
        if (!depth) return at;
    }
    return at;
}

// The value of a member of the object, or null. Keys are compared as they are written.
static inline const char *json_member(const char *object, const char *key) {
    const char *at = *object == '{' ? object + 1 : "";
    while (*at == '"') {
        const char *end = json_string_end(at);
        size_t length = (size_t)(end - at) - 2;
        bool found = length == strlen(key) && !memcmp(at + 1, key, length);
        if (*end != ':') return NULL;
        if (found) return end + 1;
        at = json_value_end(end + 1);
        if (*at == ',') at++;
    }
    return NULL;
}

static char *json_put(char *to, unsigned long code) {
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6), *to++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *to++ = (char)(0xe0 | code >> 12), *to++ = (char)(0x80 | (code >> 6 & 0x3f)), *to++ = (char)(0x80 | (code & 0x3f));
    } else {
        *to++ = (char)(0xf0 | code >> 18), *to++ = (char)(0x80 | (code >> 12 & 0x3f));
        *to++ = (char)(0x80 | (code >> 6 & 0x3f)), *to++ = (char)(0x80 | (code & 0x3f));
    }
    return to;
}

static unsigned long json_hex(const char *digits) {
    char text[5] = {0};
    memcpy(text, digits, strnlen(digits, 4));
    return strtoul(text, NULL, 16);
}

// A member that is a string, decoded, for the caller to free; null if there is none.
static inline char *json_string(const char *object, const char *key) {
    const char *at = json_member(object, key);
    if (!at || *at != '"') return NULL;
    const char *end = json_string_end(at) - 1;
    // Decoding never makes it longer.
    char *text = malloc((size_t)(end - at) + 1), *to = text;
    if (!text) abort();
    for (at++; at < end; at++) {
        if (*at != '\\') {
            *to++ = *at;
            continue;
        }
        static const char from[] = "bfnrt", into[] = "\b\f\n\r\t";
        const char *known = strchr(from, *++at);
        if (*at == 'u' && end - at > 4) {
            unsigned long code = json_hex(at + 1);
            at += 4;
            if (code >= 0xd800 && code < 0xdc00 && end - at > 6) {
                code = 0x10000 + ((code - 0xd800) << 10) + (json_hex(at + 3) - 0xdc00);
                at += 6;
            }
            to = json_put(to, code);
        } else {
            *to++ = known ? into[known - from] : *at;
        }
    }
    *to = 0;
    return text;
}

// A member that is a number; `otherwise` if there is none.
static inline double json_number(const char *object, const char *key, double otherwise) {
    const char *at = json_member(object, key);
    return at && (*at == '-' || (*at >= '0' && *at <= '9')) ? strtod(at, NULL) : otherwise;
}

#endif
