/*
 * Fuzzes --config: the input is the JSON file.  Either the numbers are all within their ranges
 * then, and the list of them read again gives the same; or there is a message.
 */
#include <json-c/json.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../analyzer/options.h"
#include "../../analyzer/tunables.h"
#include "claim.h"

static int64_t number_of(struct json_object *row, const char *name)
{
    return json_object_get_int64(json_object_object_get(row, name));
}

/* What --list-config=json says; the caller's to free. */
static char *list(const struct config *config)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    CLAIM(stream != NULL, "no memory");
    tunables_list_json(stream, config);
    fclose(stream);
    return text;
}

/* All numbers are in range, and settable again. */
static void claim_settled(const struct config *config)
{
    char *text = list(config);
    struct json_object *whole = json_tokener_parse(text);
    struct json_object *rows = json_object_object_get(whole, "config");
    struct config again = config_default();
    CLAIM(json_object_array_length(rows) > 0, "%s", text);
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        const char *name = json_object_get_string(json_object_object_get(row, "name"));
        int64_t value = number_of(row, "value");
        char word[32], message[MESSAGE_SIZE];
        CLAIM(value >= number_of(row, "least") && value <= number_of(row, "most"), "%s", name);
        snprintf(word, sizeof word, "%lld", (long long)value);
        CLAIM(tunables_set(&again, "again", name, word, message) == STATUS_OK, "%s", message);
    }
    char *once_more = list(&again);
    CLAIM(strcmp(text, once_more) == 0, "%s", text);
    json_object_put(whole);
    free(once_more);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    char name[64], message[MESSAGE_SIZE] = "";
    char program[] = "lastack", option[] = "--config", input[] = "file";
    char *arguments[] = {program, option, name, input, NULL};
    int file = memfd_create("settings", MFD_CLOEXEC);
    CLAIM(file >= 0 && write(file, octets, size) == (ssize_t)size, "no memory file");
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    struct options options;
    enum status status = options_parse(4, arguments, &options, message);
    CLAIM(strnlen(message, sizeof message) < sizeof message, "no end");
    CLAIM(status == STATUS_OK || (status == STATUS_USAGE && message[0] != '\0'), "%d: %s",
          (int)status, message);
    if (status == STATUS_OK)
        claim_settled(&options.config);
    options_clear(&options);
    close(file);
    return 0;
}
