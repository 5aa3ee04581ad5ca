/* option_outputs: the options that say what is written, and where. */
#include <string.h>

#include "kafka_output.h"
#include "option_apply.h"
#include "option_takers.h"
#include "page_server.h"
#include "values.h"

static const struct {
    const char *word;
    enum choice choice;
} choices[] = {
    {"all", CHOICE_ALL},
    {"problems", CHOICE_PROBLEMS},
    {"none", CHOICE_NONE},
};

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

/* A place to answer over HTTP; instead says what does the same where that is not built in. */
static enum status take_listen(struct options *options, enum output_kind kind, const char *name,
                               const char *instead, const char *argument, char *message)
{
    uint8_t version, address[16];
    uint16_t port;
    if (!page_server_is_built_in())
        return option_refuse(message, "%s: built without libmicrohttpd; write %s", name, instead);
    if (!value_read_listen(argument, &version, address, &port))
        return option_refuse(message,
                             "%s %.64s: must be an address and a port, such as 127.0.0.1:9464 or "
                             "[::1]:9464, or a port of 127.0.0.1",
                             name, argument);
    return take_output(options, kind, argument, message);
}

static enum status take_metrics_listen(struct options *options, const char *argument, char *message)
{
    return take_listen(options, OUTPUT_METRICS_LISTEN, "--metrics-listen",
                       "the metrics to a file with --metrics-file FILE", argument, message);
}

static enum status take_http(struct options *options, const char *argument, char *message)
{
    return take_listen(options, OUTPUT_HTTP, "--http", "a page to a file with --html=FILE",
                       argument, message);
}

static enum status take_http_token(struct options *options, const char *argument, char *message)
{
    (void)message;
    options->http_token = argument;
    return STATUS_OK;
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

/* What is renamed when it is whole, or read twice, is a file. */
static bool is_stream(const char *argument)
{
    return strcmp(argument, "-") == 0;
}

static enum status take_state_in(struct options *options, const char *argument, char *message)
{
    if (is_stream(argument))
        return option_refuse(message, "--state-in -: a state is read twice, which standard input "
                                      "cannot be; name a file (./- is one)");
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
    if (is_stream(argument))
        return option_refuse(message, "--state-out -: a state gets its name when it is whole, "
                                      "which standard output cannot; name a file (./- is one)");
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

/* clang-format off */
const struct option_taker option_output_takers[] = {
    {OPTION_TEXT,           take_text},
    {OPTION_JSON,           take_json},
    {OPTION_NDJSON,         take_ndjson},
    {OPTION_HTML,           take_html},
    {OPTION_HTTP,           take_http},
    {OPTION_HTTP_TOKEN,     take_http_token},
    {OPTION_SVG,            take_svg},
    {OPTION_KAFKA,          take_kafka},
    {OPTION_TOPIC,          take_topic},
    {OPTION_METRICS_FILE,   take_metrics_file},
    {OPTION_METRICS_LISTEN, take_metrics_listen},
    {OPTION_FLOW,           take_flow},
    {OPTION_WRITE,          take_write},
    {OPTION_SPOOL,          take_spool},
    {OPTION_STATE_IN,       take_state_in},
    {OPTION_STATE_OUT,      take_state_out},
    {OPTION_FLOWS,          take_flows},
    {OPTION_SEGMENTS,       take_segments},
    {OPTION_ROTATE_SIZE,    take_rotate_size},
    {OPTION_IDS, NULL},
};
/* clang-format on */
