/* option_inputs: the options that say what is read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "option_apply.h"
#include "option_takers.h"
#include "values.h"

enum { FILTER_MAX = 65536 }; /* octets of a filter file */

enum status option_set_filter(struct options *options, char *filter, char *message)
{
    if (filter == NULL)
        return STATUS_NO_MEMORY;
    if (options->filter != NULL) {
        free(filter);
        return option_refuse(message,
                             "more than one filter; join them with \"and\" in one -f, such as "
                             "-f 'tcp port 443 and host 10.0.0.1'");
    }
    options->filter = filter;
    return STATUS_OK;
}

static enum status take_file(struct options *options, const char *argument, char *message)
{
    (void)message;
    options->files[options->file_count++] = argument; /* argc bounds it */
    return STATUS_OK;
}

/* The tap of that name, begun if there is none; NULL with message. */
static struct tap_option *tap_of(struct options *options, const char *name, size_t length,
                                 char *message)
{
    for (size_t i = 0; i < options->tap_count; i++) {
        struct tap_option *tap = &options->taps[i];
        if (strlen(tap->name) == length && memcmp(tap->name, name, length) == 0)
            return tap;
    }
    if (options->tap_count == OPTIONS_TAPS) {
        option_refuse(message, "--tap: more than %d taps; leave some out", OPTIONS_TAPS);
        return NULL;
    }
    struct tap_option *tap = &options->taps[options->tap_count];
    tap->name = strndup(name, length);
    if (tap->name == NULL)
        return NULL;
    options->tap_count++;
    return tap;
}

static enum status take_tap(struct options *options, const char *argument, char *message)
{
    const char *file = strchr(argument, '=');
    if (file == NULL || file == argument || file[1] == '\0')
        return option_refuse(
            message, "--tap %.64s: write NAME=FILE, such as --tap client=client.pcap", argument);
    message[0] = '\0';
    struct tap_option *tap = tap_of(options, argument, (size_t)(file - argument), message);
    if (tap == NULL)
        return message[0] != '\0' ? STATUS_USAGE : STATUS_NO_MEMORY;
    if (tap == &options->taps[0]) {
        tap->file_count++;
        return take_file(options, file + 1, message);
    }
    const char **files = realloc(tap->files, (tap->file_count + 1) * sizeof *files);
    if (files == NULL)
        return STATUS_NO_MEMORY;
    tap->files = files;
    tap->files[tap->file_count++] = file + 1;
    return STATUS_OK;
}

static enum status take_interface(struct options *options, const char *argument, char *message)
{
    for (size_t i = 0; i < options->interface_count; i++) {
        if (strcmp(options->interfaces[i], argument) == 0)
            return option_refuse(message, "-i %.64s: it was given already; once is enough",
                                 argument);
    }
    if (options->interface_count == OPTIONS_INTERFACES)
        return option_refuse(message, "-i %.64s: more than %d interfaces; -i any captures on all",
                             argument, OPTIONS_INTERFACES);
    options->interfaces[options->interface_count++] = argument; /* argc bounds it, too */
    return STATUS_OK;
}

static enum status take_filter(struct options *options, const char *argument, char *message)
{
    return option_set_filter(options, strdup(argument), message);
}

static enum status take_filter_file(struct options *options, const char *argument, char *message)
{
    FILE *file = fopen(argument, "r");
    if (file == NULL)
        return option_refuse(message, "-F %.200s: cannot open it: %s", argument, strerror(errno));
    char *text = calloc(1, FILTER_MAX + 1);
    size_t length = text == NULL ? 0 : fread(text, 1, FILTER_MAX + 1, file);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (text != NULL && (failed || length > FILTER_MAX || memchr(text, '\0', length) != NULL)) {
        free(text);
        return option_refuse(message, "-F %.200s: it is not a text file of at most %d octets",
                             argument, FILTER_MAX);
    }
    return option_set_filter(options, text, message);
}

static enum status take_moment(const char *option, const char *argument, nanotime *ret_moment,
                               char *message)
{
    if (value_read_time(argument, ret_moment))
        return STATUS_OK;
    return option_refuse(message,
                         "%s %.64s: not a time of RFC 3339; write it as %s 2026-11-20T15:00:00Z",
                         option, argument, option);
}

static enum status take_since(struct options *options, const char *argument, char *message)
{
    return take_moment("--since", argument, &options->since, message);
}

static enum status take_until(struct options *options, const char *argument, char *message)
{
    return take_moment("--until", argument, &options->until, message);
}

/* clang-format off */
const struct option_taker option_input_takers[] = {
    {OPTION_READ,        take_file},
    {OPTION_TAP,         take_tap},
    {OPTION_INTERFACE,   take_interface},
    {OPTION_FILTER,      take_filter},
    {OPTION_FILTER_FILE, take_filter_file},
    {OPTION_SINCE,       take_since},
    {OPTION_UNTIL,       take_until},
    {OPTION_IDS, NULL},
};
/* clang-format on */
