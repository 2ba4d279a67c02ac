// The test of tool.c, on this machine: `zig cc -o build/test test.c tool.c png.c && build/test`.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

// In tests there is no host.
char *host_setting(const char *key) { return (void)key, NULL; }
void host_progress(double done, double total, const char *message) { (void)done, (void)total, (void)message; }

static int failures;

static void expect(bool true_here, const char *what) {
    if (true_here) return;
    failures++;
    fprintf(stderr, "not so: %s\n", what);
}

int main(void) {
    struct answer answer = {0};
    struct problem problem = {0};
    expect(tool_run("{\"cell\":2,\"text\":\"Ada\"}", &answer, &problem), "a text is drawn");
    expect(answer.image && !memcmp(answer.image, "\x89PNG", 4), "as a PNG");
    expect(answer.image_length == 8 + 3 * 12 + 13 + 2 + 5 + 10 * 31 + 4, "of ten rows of ten pixels");
    free(answer.image);
    expect(!tool_run("{\"text\":\"\"}", &answer, &problem) && problem.of_arguments, "nothing is told so");
    return failures != 0;
}
