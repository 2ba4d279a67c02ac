// Between tool.c and the bindings that `coinop build` writes into gen/. Yours to change; seldom a need.
//
// The host frees what is returned, so everything it is given is allocated.

#include <stdlib.h>
#include <string.h>

#include "gen/plugin.h"
#include "tool.h"

static plugin_string_t copied(const char *text) {
    plugin_string_t copy;
    plugin_string_dup(&copy, text);
    return copy;
}

// With an end that C knows.
static char *ended(const plugin_string_t *string) {
    char *text = malloc(string->len + 1);
    if (!text) abort();
    memcpy(text, string->ptr, string->len);
    text[string->len] = 0;
    return text;
}

char *host_setting(const char *key) {
    plugin_string_t name, value;
    plugin_string_set(&name, key);
    if (!coinop_plugin_settings_get(&name, &value)) return NULL;
    char *text = ended(&value);
    plugin_string_free(&value);
    return text;
}

void host_progress(double done, double total, const char *message) {
    plugin_string_t text;
    plugin_string_set(&text, message);
    coinop_plugin_progress_report(done, &total, &text);
}

void exports_coinop_plugin_tools_list_tools(exports_coinop_plugin_tools_list_tool_t *list) {
    list->ptr = calloc(1, sizeof *list->ptr);
    if (!list->ptr) abort();
    list->len = 1;
    exports_coinop_plugin_tools_tool_t *listed = list->ptr;
    listed->name = copied(tool.name);
    listed->description = copied(tool.description);
    listed->input_schema = copied(tool.input_schema);
    listed->effects = COINOP_PLUGIN_TOOL_TYPES_EFFECTS_PURE;
    listed->price.is_some = true;
    listed->price.val.tag = COINOP_PLUGIN_TOOL_TYPES_PRICE_PER_CALL;
    listed->price.val.val.per_call.amount = copied(tool.amount);
    listed->price.val.val.per_call.currency = copied(tool.currency);
}

static void put(exports_coinop_plugin_tools_output_t *output, const struct answer *answer) {
    memset(output, 0, sizeof *output);
    output->content.ptr = calloc(2, sizeof *output->content.ptr);
    if (!output->content.ptr) abort();
    if (answer->text) {
        coinop_plugin_tool_types_content_t *block = &output->content.ptr[output->content.len++];
        block->tag = COINOP_PLUGIN_TOOL_TYPES_CONTENT_TEXT;
        plugin_string_set(&block->val.text, answer->text);
    }
    if (answer->image) {
        coinop_plugin_tool_types_content_t *block = &output->content.ptr[output->content.len++];
        block->tag = COINOP_PLUGIN_TOOL_TYPES_CONTENT_IMAGE;
        block->val.image.data.ptr = answer->image;
        block->val.image.data.len = answer->image_length;
        block->val.image.mime_type = copied(answer->image_type);
    }
}

bool exports_coinop_plugin_tools_call_tool(
    plugin_string_t *name, plugin_string_t *arguments_json, exports_coinop_plugin_tools_context_t *context,
    exports_coinop_plugin_tools_output_t *output, exports_coinop_plugin_tools_failure_t *failure) {
    char *arguments = ended(arguments_json);
    struct answer answer = {0};
    struct problem problem = {0};
    bool answered = tool_run(arguments, &answer, &problem);
    free(arguments);
    plugin_string_free(name);
    plugin_string_free(arguments_json);
    exports_coinop_plugin_tools_context_free(context);
    if (answered) {
        put(output, &answer);
        return true;
    }
    failure->tag = problem.of_arguments ? COINOP_PLUGIN_TOOL_TYPES_FAILURE_INVALID_ARGUMENTS
                                        : COINOP_PLUGIN_TOOL_TYPES_FAILURE_FAILED;
    failure->val.failed = copied(problem.message);
    return false;
}
