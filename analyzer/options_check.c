/* options_check: what the command line may not ask for together. */
#include "options_check.h"

#include <string.h>
#include <sys/stat.h>

#include "option_apply.h"

static enum status check_input(const struct options *options, char *message)
{
    size_t stdins = 0;
    for (size_t i = 0; i < options->file_count; i++)
        stdins += strcmp(options->files[i], "-") == 0;
    if (options->interface_count > 0 && options->file_count > 0)
        return option_refuse(message, "-i %.64s and -r %.200s: read one or the other",
                             options->interfaces[0], options->files[0]);
    if (options->interface_count + options->file_count == 0)
        return option_refuse(message,
                             "nothing to read; name a capture file, - for standard input, or an "
                             "interface with -i");
    if (stdins > 1)
        return option_refuse(message, "- is named %zu times; standard input can be read once",
                             stdins);
    if (options->since != NANOTIME_UNKNOWN && options->until != NANOTIME_UNKNOWN &&
        !time_is_before(options->since, options->until))
        return option_refuse(message,
                             "--until is not after --since: no packet can be between them");
    return STATUS_OK;
}

static size_t outputs_of(const struct options *options, enum output_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < options->output_count; i++)
        count += options->outputs[i].kind == kind;
    return count;
}

/* Taps are files, all of them, and are read once, side by side. */
static enum status check_taps(const struct options *options, char *message)
{
    bool packets = outputs_of(options, OUTPUT_PACKETS) > 0;
    if (options->tap_count == 0)
        return STATUS_OK;
    if (options->tap_count == 1)
        return option_refuse(message,
                             "--tap %.64s: one tap alone; name a second one, such as --tap "
                             "server=FILE, or read the file without --tap",
                             options->taps[0].name);
    if (options->interface_count > 0 || options->file_count != options->taps[0].file_count)
        return option_refuse(message,
                             "--tap with -r or -i: name every capture with --tap NAME=FILE");
    if (options->state_in != NULL || options->state_out != NULL || options->piece)
        return option_refuse(message, "--tap joins whole captures; leave out %s",
                             options->piece ? "--piece" : "--state-in and --state-out");
    if (options->follow || packets || options->segments == CHOICE_PROBLEMS)
        return option_refuse(message, "--tap reads its files once, to their end: leave out %s",
                             options->follow ? "--follow"
                             : packets       ? "-w"
                                             : "--segments problems, or write --segments all");
    return STATUS_OK;
}

/* Pipes, sockets and devices; what is not there is said when it is opened. */
static bool can_be_read_once(const char *file)
{
    struct stat status;
    if (strcmp(file, "-") == 0)
        return true;
    return stat(file, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

/* The first input that cannot be read again; NULL when all can. */
static const char *input_that_comes_once(const struct options *options)
{
    if (options->interface_count > 0)
        return options->interfaces[0];
    for (size_t i = 0; i < options->file_count; i++) {
        if (can_be_read_once(options->files[i]))
            return options->files[i];
    }
    return NULL;
}

bool options_input_comes_once(const struct options *options)
{
    return options->follow || input_that_comes_once(options) != NULL;
}

/* A picture is of connections that went by: of one, where it goes to a file. */
static enum status check_drawing(const struct options *options, char *message)
{
    bool drawn = false;
    for (size_t i = 0; i < options->output_count; i++) {
        bool svg = options->outputs[i].kind == OUTPUT_SVG;
        drawn = drawn || svg || options->outputs[i].kind == OUTPUT_LADDER;
        if (svg && options->ladder.kind == LADDER_PROBLEMS)
            return option_refuse(message, "--svg draws one connection; say which with --flow, such "
                                          "as --flow 1 (lastack ladder FILE numbers them)");
    }
    if (!drawn && options->ladder.kind != LADDER_PROBLEMS)
        return option_refuse(message, "--flow is for drawing; write lastack ladder FILE --flow, or "
                                      "add --svg=FILE");
    return STATUS_OK;
}

static enum status refuse_second_reading(const char *input, char *message)
{
    return option_refuse(message,
                         "--segments problems reads its packets twice, and %.200s gives them once; "
                         "save it with tcpdump -w FILE and name that FILE, or write --segments all",
                         strcmp(input, "-") == 0 ? "standard input" : input);
}

/* Which connections have problems is known only when their segments have gone by. */
static enum status check_segments(const struct options *options, char *message)
{
    if (options->segments != CHOICE_PROBLEMS)
        return STATUS_OK;
    const char *once = input_that_comes_once(options);
    return once == NULL ? STATUS_OK : refuse_second_reading(once, message);
}

/* What only a live capture does is not silently left out of another. */
static enum status check_live(const struct options *options, char *message)
{
    const struct {
        bool given;
        const char *name;
    } live[] = {
        {options->user != NULL, "-Z"},
        {options->rotate_size > 0, "-C"},
        {options->rotate_time > 0, "-G"},
        {options->rotate_keep > 0, "-W"},
        {options->stats_interval > 0, "--stats-interval"},
    };
    for (size_t i = 0; i < sizeof live / sizeof live[0]; i++) {
        if (live[i].given && options->interface_count == 0)
            return option_refuse(message, "%s is for live capture; add -i IFACE, or leave it out",
                                 live[i].name);
    }
    if (options->rotate_keep > 0 && options->rotate_size + options->rotate_time == 0)
        return option_refuse(message, "-W says how many renamed files stay; say when they are "
                                      "renamed with -C SIZE or -G SECONDS");
    return STATUS_OK;
}

static enum status check_http(const struct options *options, char *message)
{
    size_t pages = outputs_of(options, OUTPUT_HTTP);
    if (pages > 1)
        return option_refuse(message, "--http was given twice; one place is enough: several "
                                      "browsers can look at it");
    if (pages == 0 && options->http_token != NULL)
        return option_refuse(message, "--http-token is for --http ADDR:PORT; add it, or leave it "
                                      "out");
    return STATUS_OK;
}

/* What is about metrics only is not silently left out of a run without them. */
static enum status check_metrics(const struct options *options, char *message)
{
    if (options->metrics_top == 0 ||
        outputs_of(options, OUTPUT_METRICS) + outputs_of(options, OUTPUT_METRICS_LISTEN) > 0)
        return STATUS_OK;
    return option_refuse(message, "--metrics-top is for metrics; add --metrics-listen PORT or "
                                  "--metrics-file FILE");
}

static enum status check_kafka(const struct options *options, char *message)
{
    size_t kafkas = outputs_of(options, OUTPUT_KAFKA);
    if (kafkas > 1)
        return option_refuse(message, "--kafka was given twice; name several brokers of a cluster "
                                      "in one list: --kafka kafka1:9092,kafka2:9092");
    if (kafkas == 1 && options->topic == NULL)
        return option_refuse(message, "--kafka: to which topic? Add --topic, such as "
                                      "--topic lastack");
    if (kafkas == 0 && options->topic != NULL)
        return option_refuse(message, "--topic is for --kafka BROKERS; add it, or leave it out");
    return STATUS_OK;
}

static enum status check_outputs(const struct options *options, char *message)
{
    for (size_t i = 0; i < options->output_count; i++) {
        const char *file = options->outputs[i].file;
        for (size_t j = 0; j < i; j++) {
            const char *other = options->outputs[j].file;
            if (file == NULL && other == NULL)
                return option_refuse(message,
                                     "two outputs to standard output; give one of them a file, "
                                     "such as --ndjson=flows.ndjson");
            if (file != NULL && other != NULL && strcmp(file, other) == 0)
                return option_refuse(message,
                                     "two outputs to %.200s; give one of them another file", file);
        }
    }
    return STATUS_OK;
}

/* In a chain of runs only what needs no packet of an earlier piece can be written. */
static enum status check_chain(const struct options *options, char *message)
{
    const char *name = options->state_in != NULL ? "--state-in" : "--state-out";
    if (options->state_in == NULL && options->state_out == NULL)
        return STATUS_OK;
    if (options->interface_count > 0 || options->follow)
        return option_refuse(message, "%s is for saved captures; leave out %s", name,
                             options->follow ? "--follow" : "-i");
    if (options->segments == CHOICE_PROBLEMS)
        return option_refuse(message,
                             "--segments problems needs all packets at once, and %s is "
                             "for pieces; write --segments all",
                             name);
    for (size_t i = 0; i < options->output_count; i++) {
        enum output_kind kind = options->outputs[i].kind;
        if (kind != OUTPUT_NDJSON && kind != OUTPUT_JSON && kind != OUTPUT_TEXT)
            return option_refuse(message,
                                 "%s is for pieces, of which --ndjson, --json and --text can be "
                                 "written; leave the other outputs out",
                                 name);
        if (kind != OUTPUT_NDJSON && options->state_out != NULL)
            return option_refuse(message, "--state-out: the report of a chain is written by its "
                                          "last run; write --ndjson here, or nothing");
    }
    return STATUS_OK;
}

/* A piece's tapes are records; a chain has no need of them. */
static enum status check_piece(const struct options *options, char *message)
{
    if (!options->piece)
        return STATUS_OK;
    if (options->state_in != NULL || options->state_out != NULL)
        return option_refuse(message, "--piece is for pieces that are analysed apart, and "
                                      "--state-in and --state-out for one after the other; choose");
    if (options->interface_count > 0)
        return option_refuse(message, "--piece is for saved captures; leave out -i");
    if (outputs_of(options, OUTPUT_NDJSON) == 0)
        return option_refuse(message, "--piece writes records for lastack merge; add "
                                      "--ndjson=FILE");
    return STATUS_OK;
}

/* In this order: the first that refuses is said. */
static enum status (*const checks[])(const struct options *options, char *message) = {
    check_input,   check_taps,  check_drawing, check_segments, check_live,  check_http,
    check_metrics, check_kafka, check_outputs, check_chain,    check_piece,
};

enum status options_check(const struct options *options, char *message)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof checks / sizeof checks[0]; i++)
        status = checks[i](options, message);
    return status;
}

enum status options_check_merge(const struct options *options, char *message)
{
    const struct {
        bool given;
        const char *name;
    } others[] = {
        {options->interface_count > 0, "-i"},
        {options->filter != NULL, "a filter"},
        {options->since != NANOTIME_UNKNOWN, "--since"},
        {options->until != NANOTIME_UNKNOWN, "--until"},
        {options->count > 0, "-c"},
        {options->follow, "--follow"},
        {options->level != 0, "--level"},
        {options->events_chosen, "--event"},
        {options->flows != CHOICE_DEFAULT, "--flows"},
        {options->segments != CHOICE_DEFAULT, "--segments"},
        {options->transitions, "--transitions"},
        {options->fail_level != 0 || options->fail_event != EVENT_IDS ||
             options->fail_family != NULL,
         "--fail-on"},
        {options->state_in != NULL, "--state-in"},
        {options->state_out != NULL, "--state-out"},
        {options->piece, "--piece"},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (others[i].given)
            return option_refuse(message, "merge: %s is for analysing a capture; leave it out",
                                 others[i].name);
    }
    bool ndjson = options->output_count == 0 ||
                  (options->output_count == 1 && options->outputs[0].kind == OUTPUT_NDJSON);
    if (!ndjson)
        return option_refuse(message, "merge: writes NDJSON alone, to standard output or to the "
                                      "file of --ndjson=FILE");
    if (options->file_count == 0)
        return option_refuse(message, "merge: nothing to read; name what lastack --piece --ndjson "
                                      "wrote of each piece, in the order of the capture");
    return STATUS_OK;
}
