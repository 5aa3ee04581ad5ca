/*
 * option_apply: what each option does.
 *
 * Options that only set a bool, name an action, take a number within limits or a word are rows of
 * the tables below; the others have a function each: here, in option_inputs.c or in
 * option_outputs.c.
 */
#include "option_apply.h"

#include <stdarg.h>
#include <string.h>

#include "nearest.h"
#include "option_takers.h"
#include "sink/settings.h"
#include "tunables.h"
#include "values.h"

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
    size_t member; /* a string of struct options */
} texts[] = {
    {OPTION_LINK_TYPE,  offsetof(struct options, link_type)},
    {OPTION_STAMP_TYPE, offsetof(struct options, stamp_type)},
    {OPTION_USER,       offsetof(struct options, user)},
    {OPTION_EXPLAIN,    offsetof(struct options, explain)},
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

/* The options about the analysis that no table above serves alone. */
/* clang-format off */
static const struct option_taker analysis_takers[] = {
    {OPTION_LEVEL,          take_level},
    {OPTION_EVENT,          take_event},
    {OPTION_OBSERVER,       take_observer},
    {OPTION_MSL,            take_msl},
    {OPTION_ACTIVE_TIMEOUT, take_active_timeout},
    {OPTION_MAX_MEMORY,     take_max_memory},
    {OPTION_THREADS,        take_threads},
    {OPTION_FAIL_ON,        take_fail_on},
    {OPTION_LIST_EVENTS,    take_list_events},
    {OPTION_INTERFACES,     take_interfaces},
    {OPTION_CONFIG,         take_config},
    {OPTION_SET,            take_set},
    {OPTION_LIST_CONFIG,    take_list_config},
    {OPTION_IDS, NULL},
};
/* clang-format on */

/* NULL: the option has no function of its own. */
static const struct option_taker *find_taker(enum option_id id)
{
    const struct option_taker *const tables[] = {option_input_takers, option_output_takers,
                                                 analysis_takers};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (const struct option_taker *taker = tables[i]; taker->take != NULL; taker++) {
            if (taker->id == id)
                return taker;
        }
    }
    return NULL;
}

/* -s 0 is as much as there is, as tcpdump has it. */
static bool is_everything(enum option_id id, const char *argument)
{
    return id == OPTION_SNAPLEN && strcmp(argument, "0") == 0;
}

static enum status set_number(struct options *options, enum option_id id, const char *argument,
                              char *message)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i].id != id)
            continue;
        uint64_t number = numbers[i].most;
        bool read = is_everything(id, argument) || value_read_number(argument, &number);
        if (!read || number < numbers[i].least || number > numbers[i].most)
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
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].id == id)
            *(const char **)((char *)options + texts[i].member) = argument;
    }
    const struct option_taker *taker = find_taker(id);
    return taker != NULL ? taker->take(options, argument, message)
                         : set_number(options, id, argument, message);
}
