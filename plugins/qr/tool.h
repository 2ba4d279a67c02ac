// What a tool is made of. It knows nothing of WebAssembly, so that tools are tested like any other C.
#ifndef TOOL_H
#define TOOL_H

#include <stdbool.h>
#include <stddef.h>

// How the tool is listed.
struct listing {
    const char *name;          // what callers use: 1 to 64 of A-Z a-z 0-9 _ - .
    const char *description;   // for a model that decides whether to call it
    const char *input_schema;  // JSON Schema of the arguments, an object; checked by the host before anybody pays
    const char *amount;        // what a call costs, such as "0.01"
    const char *currency;      // an ISO 4217 code
};

// An answer. It is delivered and charged. What it points to is allocated, and freed by the host.
struct answer {
    char *text;             // or null
    unsigned char *image;   // or null
    size_t image_length;    // bytes
    const char *image_type; // such as "image/png"; a constant
};

// Why there is none. The caller is told and not charged.
struct problem {
    bool of_arguments;   // they match the schema and are still wrong
    const char *message; // a constant
};

extern const struct listing tool;

// Answers a call: true with an answer, false with a problem. `arguments` is a JSON object.
bool tool_run(const char *arguments, struct answer *answer, struct problem *problem);

// What the operator has set as `key` for this plugin, for the caller to free, or null.
char *host_setting(const char *key);

// Tells the caller how far the run is: done of total, in any unit.
void host_progress(double done, double total, const char *message);

#endif
