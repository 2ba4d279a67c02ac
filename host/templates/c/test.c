// The test of tool.c, on this machine: `zig cc -o build/test test.c tool.c && build/test`.

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
    expect(tool_run("{\"name\":\"Ada\\u0021\"}", &answer, &problem), "somebody is greeted");
    expect(answer.text && !strcmp(answer.text, "Hello, Ada!!"), "by name");
    free(answer.text);
    expect(!tool_run("{\"name\":\"\"}", &answer, &problem) && problem.of_arguments, "nobody is told so");
    return failures != 0;
}
