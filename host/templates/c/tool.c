// The tool of {{name}}.

#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

const struct listing tool = {
    .name = "{{identifier}}",
    .description = "Greets somebody by name.",
    .input_schema =
        "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"description\":\"Who is greeted.\"}},"
        "\"required\":[\"name\"],\"additionalProperties\":false}",
    .amount = "0.01",
    .currency = "USD",
};

bool tool_run(const char *arguments, struct answer *answer, struct problem *problem) {
    char *name = json_string(arguments, "name");
    if (!name || !*name) {
        free(name);
        *problem = (struct problem){true, "`name` is empty: say who is greeted"};
        return false;
    }
    char *set = host_setting("greeting");
    const char *greeting = set ? set : "Hello";
    size_t size = strlen(greeting) + strlen(name) + sizeof ", !";
    answer->text = malloc(size);
    if (!answer->text) abort();
    snprintf(answer->text, size, "%s, %s!", greeting, name);
    free(set);
    free(name);
    return true;
}
