/*
 * option_apply: what each option does.
 *
 * Options that only set a bool, name an action or take a number within limits are rows of the
 * tables below; the others have a function each in the table takers.
 */
#include "option_apply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "kafka_output.h"
#include "nearest.h"
#include "page_server.h"
#include "sink/settings.h"
#include "tunables.h"
#include "values.h"

enum { FILTER_MAX = 65536 }; /* octets of a filter file */

/* clang-format off */
static const struct {
    enum option_id id;
    size_t member; /* a bool of struct options */
    bool value;
} switches[] = {
    {OPTION_PROMISCUOUS, offsetof(struct options, promiscuous), false},
    {OPTION_FOLLOW,      offsetof(struct options, follow),      true},
    {OPTION_PIECE,       offsetof(struct options, piece),       true},
    {OPTION_TRANSITIONS, offsetof(struct options, transitions), true},
    {OPTION_MICRO,       offsetof(struct options, nano),        false},
    {OPTION_NANO,        offsetof(struct options, nano),        true},
    {OPTION_FLUSH,       offsetof(struct options, flush),       true},
    {OPTION_QUIET,       offsetof(struct options, quiet),       true},
    {OPTION_VERBOSE,     offsetof(struct options, verbose),     true},
    {OPTION_NOTES,       offsetof(struct options, notes),       true},
};

static const struct {
    enum option_id id;
    size_t member; /* a uint32_t of struct config, set to 1 */
} keys[] = {
    {OPTION_VLAN_KEY,   offsetof(struct config, vlan_key)},
    {OPTION_TUNNEL_KEY, offsetof(struct config, tunnel_key)},
};

static const struct {
    enum option_id id;
    enum action action;
} actions[] = {
    {OPTION_INTERFACES,  ACTION_INTERFACES},
    {OPTION_LIST_EVENTS, ACTION_LIST_EVENTS},
    {OPTION_EXPLAIN,     ACTION_EXPLAIN},
    {OPTION_LIST_CONFIG, ACTION_LIST_CONFIG},
    {OPTION_SCHEMA,      ACTION_SCHEMA},
    {OPTION_VERSION,     ACTION_VERSION},
    {OPTION_HELP,        ACTION_HELP},
};

static const struct {
    enum option_id id;
    size_t member; /* a uint64_t of struct options */
    uint64_t least, most;
    const char *example;
} numbers[] = {
    {OPTION_COUNT,   offsetof(struct options, count),      1,  UINT64_MAX, "-c 1000"},
    {OPTION_SNAPLEN, offsetof(struct options, snaplen),    64, 262144,     "-s 128"}, /* most: libpcap's MAXIMUM_SNAPLEN */
    {OPTION_STATS_INTERVAL, offsetof(struct options, stats_interval), 1, 86400, "--stats-interval 10"},
    {OPTION_METRICS_TOP, offsetof(struct options, metrics_top), 1, 1000, "--metrics-top 10"},
    {OPTION_ROTATE_TIME, offsetof(struct options, rotate_time), 1, 31536000, "-G 3600"},
    {OPTION_ROTATE_KEEP, offsetof(struct options, rotate_keep), 1, 1000000, "-W 24"},
    {OPTION_BUFFER,  offsetof(struct options, buffer_kib), 64, 2097151,    "-B 65536"}, /* most: libpcap counts octets in an int */
};

static const struct {
    const char *word;
    enum choice choice;
} choices[] = {
    {"all", CHOICE_ALL}, {"problems", CHOICE_PROBLEMS}, {"none", CHOICE_NONE},
};
/* clang-format on */

enum status option_refuse(char *message, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, MESSAGE_SIZE, format, arguments);
    va_end(arguments);
    return STATUS_USAGE;
}

static const char *next_event(size_t index)
{
    return index < EVENT_IDS ? event_row((enum event_id)index)->id : NULL;
}

static enum status refuse_event(const char *option, const char *word, char *message)
{
    const char *near = nearest_word(word, next_event);
    if (near != NULL)
        return option_refuse(message, "%s: there is no event \"%.64s\"; did you mean %s?", option,
                             word, near);
    return option_refuse(message,
                         "%s: there is no event \"%.64s\"; lastack --list-events shows them all",
                         option, word);
}

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

static enum status take_output(struct options *options, enum output_kind kind, const char *file,
                               char *message)
{
    if (options->output_count == OPTIONS_OUTPUTS)
        return option_refuse(message, "more than %d outputs; leave some out", OPTIONS_OUTPUTS);
    if (file != NULL && strcmp(file, "-") == 0)
        file = NULL;
    options->outputs[options->output_count++] = (struct output){kind, file};
    return STATUS_OK;
}

static enum status take_text(struct options *options, const char *argument, char *message)
{
    return take_output(options, OUTPUT_TEXT, argument, message);
}

static enum status take_json(struct options *options, const char *argument, char *message)
{
    return take_output(options, OUTPUT_JSON, argument, message);
}

static enum status take_ndjson(struct options *options, const char *argument, char *message)
{
    return take_output(options, OUTPUT_NDJSON, argument, message);
}

static enum status take_html(struct options *options, const char *argument, char *message)
{
    return take_output(options, OUTPUT_HTML, argument, message);
}

static enum status take_svg(struct options *options, const char *argument, char *message)
{
    return take_output(options, OUTPUT_SVG, argument, message);
}

static enum status take_kafka(struct options *options, const char *argument, char *message)
{
    if (!kafka_output_is_built_in())
        return option_refuse(message, "--kafka: built without librdkafka; give the records to a "
                                      "program that sends them: lastack --ndjson ... | kcat -P");
    if (*argument == '\0' || strcmp(argument, "-") == 0)
        return option_refuse(message, "--kafka: must name brokers, such as --kafka kafka1:9092");
    return take_output(options, OUTPUT_KAFKA, argument, message);
}

/* As Kafka has it: letters, digits, points, underscores and hyphens, at most 249. */
static enum status take_topic(struct options *options, const char *argument, char *message)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen(argument);
    if (length == 0 || length > 249 || strspn(argument, allowed) != length)
        return option_refuse(message,
                             "--topic %.64s: must be 1 to 249 letters, digits, points, underscores "
                             "and hyphens, such as --topic lastack",
                             argument);
    options->topic = argument;
    return STATUS_OK;
}

static enum status take_metrics_file(struct options *options, const char *argument, char *message)
{
    return take_output(options, OUTPUT_METRICS, argument, message);
}

static enum status take_metrics_listen(struct options *options, const char *argument, char *message)
{
    uint8_t version, address[16];
    uint16_t port;
    if (!page_server_is_built_in())
        return option_refuse(message, "--metrics-listen: built without libmicrohttpd; write the "
                                      "metrics to a file with --metrics-file FILE");
    if (!value_read_listen(argument, &version, address, &port))
        return option_refuse(message,
                             "--metrics-listen %.64s: must be an address and a port, such as "
                             "127.0.0.1:9464 or [::1]:9464, or a port of 127.0.0.1",
                             argument);
    return take_output(options, OUTPUT_METRICS_LISTEN, argument, message);
}

static enum status take_flow(struct options *options, const char *argument, char *message)
{
    struct ladder_choice *choice = &options->ladder;
    uint64_t number;
    if (strlen(argument) < 16 && value_read_number(argument, &number) && number > 0)
        *choice = (struct ladder_choice){.kind = LADDER_NUMBER, .number = number};
    else if (strlen(argument) == 16 && value_read_uid(argument, &number))
        *choice = (struct ladder_choice){.kind = LADDER_UID, .number = number};
    else if (value_read_ends(argument, &choice->ip_version, choice->address, choice->port))
        choice->kind = LADDER_ENDS;
    else
        return option_refuse(message,
                             "--flow %.120s: must be a number from 1, a flow_uid of 16 hexadecimal "
                             "digits, or two ends, such as 10.0.0.1:40000-10.0.0.2:443 or "
                             "[2001:db8::1]:40000-[2001:db8::2]:443",
                             argument);
    return STATUS_OK;
}

static enum status take_write(struct options *options, const char *argument, char *message)
{
    for (size_t i = 0; i < options->output_count; i++) {
        if (options->outputs[i].kind == OUTPUT_PACKETS)
            return option_refuse(
                message, "-w %.200s: -w was given already; one file holds them all", argument);
    }
    return take_output(options, OUTPUT_PACKETS, argument, message);
}

static enum status take_state_in(struct options *options, const char *argument, char *message)
{
    if (options->state_in != NULL)
        return option_refuse(message,
                             "--state-in %.200s: there is one run before this one; name "
                             "the state that it wrote",
                             argument);
    options->state_in = argument;
    return STATUS_OK;
}

static enum status take_state_out(struct options *options, const char *argument, char *message)
{
    if (options->state_out != NULL)
        return option_refuse(message,
                             "--state-out %.200s: it was given already; one file holds "
                             "all",
                             argument);
    options->state_out = argument;
    return STATUS_OK;
}

static enum status take_spool(struct options *options, const char *argument, char *message)
{
    if (value_read_size(argument, &options->spool) && options->spool >= UINT64_C(1) << 20 &&
        options->spool <= UINT64_C(1) << 44)
        return STATUS_OK;
    return option_refuse(message, "--spool %.64s: must be 1M to 16T, such as --spool 4G", argument);
}

static bool find_choice(const char *word, enum choice *ret_choice)
{
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        if (strcmp(word, choices[i].word) != 0)
            continue;
        *ret_choice = choices[i].choice;
        return true;
    }
    return false;
}

static enum status take_flows(struct options *options, const char *argument, char *message)
{
    if (find_choice(argument, &options->flows))
        return STATUS_OK;
    return option_refuse(message, "--flows %.64s: must be all, problems or none", argument);
}

static enum status take_segments(struct options *options, const char *argument, char *message)
{
    if (find_choice(argument, &options->segments) && options->segments != CHOICE_NONE)
        return STATUS_OK;
    options->segments = CHOICE_ONE;
    if (value_read_uid(argument, &options->segments_uid))
        return STATUS_OK;
    return option_refuse(message,
                         "--segments %.64s: must be all, problems, or a flow_uid of 16 hexadecimal "
                         "digits, such as --segments 0123456789abcdef",
                         argument);
}

static enum status take_level(struct options *options, const char *argument, char *message)
{
    options->level = level_find(argument);
    if (options->level != 0)
        return STATUS_OK;
    return option_refuse(message, "--level %.64s: must be info, notice, warning or error",
                         argument);
}

/* Chooses the event of that id, or those of that family.  False when there is none. */
static bool choose_events(struct options *options, const char *word)
{
    bool found = false;
    for (enum event_id id = 0; id < EVENT_IDS; id++) {
        const struct event_row *row = event_row(id);
        if (strcmp(row->id, word) != 0 && strcmp(row->family, word) != 0)
            continue;
        options->events[id] = found = true;
    }
    return found;
}

static enum status take_event(struct options *options, const char *argument, char *message)
{
    char word[64];
    options->events_chosen = true;
    for (const char *rest = argument; rest != NULL;) {
        const char *comma = strchrnul(rest, ',');
        snprintf(word, sizeof word, "%.*s", (int)(comma - rest), rest);
        if (!choose_events(options, word))
            return refuse_event("--event (an event, or a family such as C3)", word, message);
        rest = *comma == ',' ? comma + 1 : NULL;
    }
    return STATUS_OK;
}

static enum status take_observer(struct options *options, const char *argument, char *message)
{
    if (*argument == '\0')
        return option_refuse(message,
                             "--observer: the name is empty; write it as --observer tap-3");
    options->observer = argument;
    return STATUS_OK;
}

static enum status take_user(struct options *options, const char *argument, char *message)
{
    (void)message;
    options->user = argument;
    return STATUS_OK;
}

static enum status take_msl(struct options *options, const char *argument, char *message)
{
    uint64_t seconds;
    if (!value_read_number(argument, &seconds) || seconds < 1 || seconds > 3600)
        return option_refuse(message, "--msl %.64s: must be 1 to 3600 seconds, such as --msl 30",
                             argument);
    options->config.msl = (nanotime)seconds * NANO_PER_SECOND;
    return STATUS_OK;
}

static enum status take_active_timeout(struct options *options, const char *argument, char *message)
{
    uint64_t seconds;
    if (!value_read_number(argument, &seconds) || seconds > 86400)
        return option_refuse(message,
                             "--active-timeout %.64s: must be 1 to 86400 seconds, such as "
                             "--active-timeout 60, or 0 for never",
                             argument);
    options->config.active_timeout = (nanotime)seconds * NANO_PER_SECOND;
    return STATUS_OK;
}

/* As tcpdump has it: a bare number is millions of octets. */
static enum status take_rotate_size(struct options *options, const char *argument, char *message)
{
    uint64_t size;
    const uint64_t most = UINT64_C(1) << 44, million = 1000000;
    bool bare = value_read_number(argument, &size);
    if (bare)
        size = size <= most / million ? size * million : 0;
    if ((!bare && !value_read_size(argument, &size)) || size < 1024 || size > most)
        return option_refuse(message,
                             "-C %.64s: must be a number of millions of octets, or 1K to 16T, such "
                             "as -C 100 or -C 64M",
                             argument);
    options->rotate_size = size;
    return STATUS_OK;
}

static enum status take_max_memory(struct options *options, const char *argument, char *message)
{
    uint64_t octets;
    if (!value_read_size(argument, &octets) || octets < UINT64_C(1) << 20 ||
        octets > UINT64_C(1) << 44)
        return option_refuse(
            message, "--max-memory %.64s: must be 1M to 16T, such as --max-memory 512M", argument);
    options->config.max_memory = octets;
    return STATUS_OK;
}

static enum status take_threads(struct options *options, const char *argument, char *message)
{
    uint64_t threads;
    if (!value_read_number(argument, &threads) || threads < 1 || threads > CONFIG_MOST_THREADS)
        return option_refuse(message,
                             "--threads %.64s: must be a number from 1 to %d, such as --threads 2",
                             argument, CONFIG_MOST_THREADS);
    options->config.threads = (uint32_t)threads;
    return STATUS_OK;
}

static enum status take_fail_on(struct options *options, const char *argument, char *message)
{
    options->fail_level = level_find(argument);
    options->fail_event = options->fail_level != 0 ? EVENT_IDS : event_find(argument);
    options->fail_family = NULL;
    for (enum event_id id = 0; id < EVENT_IDS; id++) {
        if (strcmp(event_row(id)->family, argument) == 0)
            options->fail_family = event_row(id)->family;
    }
    if (options->fail_level != 0 || options->fail_event != EVENT_IDS ||
        options->fail_family != NULL)
        return STATUS_OK;
    return refuse_event(
        "--fail-on (info, notice, warning, error, an event, or a family such as C3)", argument,
        message);
}

/* What lists something: as text, or as JSON. */
static enum status take_form(const char *option, struct options *options, const char *argument,
                             char *message)
{
    options->list_json = argument != NULL;
    if (argument == NULL || strcmp(argument, "json") == 0)
        return STATUS_OK;
    return option_refuse(message, "%s=%.64s: must be %s or %s=json", option, argument, option,
                         option);
}

static enum status take_list_events(struct options *options, const char *argument, char *message)
{
    return take_form("--list-events", options, argument, message);
}

static enum status take_list_config(struct options *options, const char *argument, char *message)
{
    return take_form("--list-config", options, argument, message);
}

static enum status take_interfaces(struct options *options, const char *argument, char *message)
{
    return take_form("--list-interfaces", options, argument, message);
}

static enum status take_set(struct options *options, const char *argument, char *message)
{
    char name[64];
    const char *equals = strchr(argument, '=');
    if (equals == NULL || equals == argument || (size_t)(equals - argument) >= sizeof name)
        return option_refuse(
            message, "--set %.64s: must be NAME=VALUE, such as --set fin_timeout=120s", argument);
    snprintf(name, sizeof name, "%.*s", (int)(equals - argument), argument);
    return tunables_set(&options->config, "--set", name, equals + 1, message);
}

/* What reading the file of --config needs at each member. */
struct config_file {
    struct options *options;
    const char *name;
    char *message;
};

static enum status take_setting(void *context, const char *name, const char *word)
{
    struct config_file *file = context;
    return tunables_set(&file->options->config, file->name, name, word, file->message);
}

static enum status take_config(struct options *options, const char *argument, char *message)
{
    struct config_file file = {options, argument, message};
    return settings_read(argument, take_setting, &file, message, MESSAGE_SIZE);
}

static enum status take_explain(struct options *options, const char *argument, char *message)
{
    (void)message;
    options->explain = argument;
    return STATUS_OK;
}

/* The options that no table above serves alone. */
static enum status (*const takers[OPTION_IDS])(struct options *options, const char *argument,
                                               char *message) = {
    [OPTION_READ] = take_file,
    [OPTION_TAP] = take_tap,
    [OPTION_INTERFACE] = take_interface,
    [OPTION_FILTER] = take_filter,
    [OPTION_FILTER_FILE] = take_filter_file,
    [OPTION_SINCE] = take_since,
    [OPTION_UNTIL] = take_until,
    [OPTION_TEXT] = take_text,
    [OPTION_JSON] = take_json,
    [OPTION_NDJSON] = take_ndjson,
    [OPTION_HTML] = take_html,
    [OPTION_SVG] = take_svg,
    [OPTION_KAFKA] = take_kafka,
    [OPTION_TOPIC] = take_topic,
    [OPTION_METRICS_FILE] = take_metrics_file,
    [OPTION_METRICS_LISTEN] = take_metrics_listen,
    [OPTION_FLOW] = take_flow,
    [OPTION_WRITE] = take_write,
    [OPTION_SPOOL] = take_spool,
    [OPTION_STATE_IN] = take_state_in,
    [OPTION_STATE_OUT] = take_state_out,
    [OPTION_FLOWS] = take_flows,
    [OPTION_LEVEL] = take_level,
    [OPTION_EVENT] = take_event,
    [OPTION_SEGMENTS] = take_segments,
    [OPTION_OBSERVER] = take_observer,
    [OPTION_USER] = take_user,
    [OPTION_MSL] = take_msl,
    [OPTION_ACTIVE_TIMEOUT] = take_active_timeout,
    [OPTION_ROTATE_SIZE] = take_rotate_size,
    [OPTION_MAX_MEMORY] = take_max_memory,
    [OPTION_THREADS] = take_threads,
    [OPTION_FAIL_ON] = take_fail_on,
    [OPTION_LIST_EVENTS] = take_list_events,
    [OPTION_INTERFACES] = take_interfaces,
    [OPTION_EXPLAIN] = take_explain,
    [OPTION_CONFIG] = take_config,
    [OPTION_SET] = take_set,
    [OPTION_LIST_CONFIG] = take_list_config,
};

static enum status set_number(struct options *options, enum option_id id, const char *argument,
                              char *message)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i].id != id)
            continue;
        uint64_t number;
        if (!value_read_number(argument, &number) || number < numbers[i].least ||
            number > numbers[i].most)
            return option_refuse(message,
                                 "%.*s %.64s: must be a number from %llu to %llu, such as %s",
                                 (int)strcspn(numbers[i].example, " "), numbers[i].example,
                                 argument, (unsigned long long)numbers[i].least,
                                 (unsigned long long)numbers[i].most, numbers[i].example);
        *(uint64_t *)((char *)options + numbers[i].member) = number;
    }
    return STATUS_OK;
}

enum status option_apply(struct options *options, enum option_id id, const char *argument,
                         char *message)
{
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        if (switches[i].id == id)
            *(bool *)((char *)options + switches[i].member) = switches[i].value;
    }
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (actions[i].id == id && options->action == ACTION_ANALYSE)
            options->action = actions[i].action;
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (keys[i].id == id)
            *(uint32_t *)((char *)&options->config + keys[i].member) = 1;
    }
    if (takers[id] != NULL)
        return takers[id](options, argument, message);
    return set_number(options, id, argument, message);
}
