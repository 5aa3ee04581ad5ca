/* options: reads the words of the command line with getopt_long. */
#include "options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "nearest.h"
#include "option_apply.h"
#include "options_check.h"

enum { LONG_OPTION = 256 }; /* getopt's value of a long option is this and its id */

static const char *next_long_name(size_t index)
{
    for (enum option_id id = 0; id < OPTION_IDS; id++) {
        const char *name = option_row(id)->long_name;
        if (name != NULL && index-- == 0)
            return name;
    }
    return NULL;
}

/* getopt_long's tables: letters is ":ab:c::" with at most three characters an option. */
static void build_tables(struct option *ret_longs, char *ret_letters)
{
    *ret_letters++ = ':';
    for (enum option_id id = 0; id < OPTION_IDS; id++) {
        const struct option_row *row = option_row(id);
        int argument = row->argument == NULL     ? no_argument
                       : row->argument[0] == '[' ? optional_argument
                                                 : required_argument;
        if (row->long_name != NULL)
            *ret_longs++ = (struct option){row->long_name, argument, NULL, LONG_OPTION + (int)id};
        if (row->letter != 0)
            *ret_letters++ = (char)row->letter;
        for (int i = 0; row->letter != 0 && i < argument; i++)
            *ret_letters++ = ':';
    }
    *ret_longs = (struct option){0};
    *ret_letters = '\0';
}

/* The option of a value that getopt_long returned or left in optopt. */
static enum option_id find_option(int value)
{
    if (value >= LONG_OPTION)
        return (enum option_id)(value - LONG_OPTION);
    enum option_id id = 0;
    while (id < OPTION_IDS && option_row(id)->letter != value)
        id++;
    return id;
}

static enum status refuse_unknown(const char *word, char *message)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *near = nearest_word(name, next_long_name);
    if (near == NULL)
        return option_refuse(message, "unknown option --%s; lastack --help lists the options",
                             name);
    return option_refuse(message, "unknown option --%s; did you mean --%s?", name, near);
}

/* What getopt_long could not take: outcome is '?' or ':', word the one it stopped at. */
static enum status refuse_option(int outcome, const char *word, char *message)
{
    if (optopt == 0)
        return refuse_unknown(word, message);
    enum option_id id = find_option(optopt);
    if (id == OPTION_IDS)
        return option_refuse(message, "unknown option -%c; lastack --help lists the options",
                             optopt);
    const struct option_row *row = option_row(id);
    const char *dashes = row->long_name == NULL ? "-" : "--";
    char letter[2] = {(char)row->letter, '\0'};
    const char *name = row->long_name == NULL ? letter : row->long_name;
    if (outcome == ':')
        return option_refuse(message, "%s%s: its argument is missing; write it as %s%s %s", dashes,
                             name, dashes, name, row->argument);
    return option_refuse(message, "%s%s takes no argument; write it alone", dashes, name);
}

/* What a file or an interface is called is at least a letter. */
static enum status refuse_empty(enum option_id id, const char *argument, char *message)
{
    const struct option_row *row = option_row(id);
    bool names = row->argument != NULL &&
                 (strstr(row->argument, "FILE") != NULL || strcmp(row->argument, "IFACE") == 0);
    if (!names || argument == NULL || argument[0] != '\0')
        return STATUS_OK;
    char letter[2] = {(char)row->letter, '\0'};
    bool has_long_name = row->long_name != NULL;
    return option_refuse(message, "%s%s: the name is empty; give one", has_long_name ? "--" : "-",
                         has_long_name ? row->long_name : letter);
}

static enum status read_options(int argc, char **argv, struct options *options, char *message)
{
    struct option longs[OPTION_IDS + 1];
    char letters[3 * OPTION_IDS + 2];
    build_tables(longs, letters);
    optind = 0; /* glibc: start afresh */
    opterr = 0;
    int value;
    while ((value = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (value == '?' || value == ':')
            return refuse_option(value, argv[optind - 1], message);
        enum status status = refuse_empty(find_option(value), optarg, message);
        if (status == STATUS_OK)
            status = option_apply(options, find_option(value), optarg, message);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* Joins words with spaces; NULL when memory is out. */
static char *join(char *const *words, size_t count)
{
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size += strlen(words[i]) + 1;
    char *text = malloc(size);
    char *end = text;
    for (size_t i = 0; text != NULL && i < count; i++)
        end = stpcpy(i == 0 ? end : stpcpy(end, " "), words[i]);
    return text;
}

/* Without -i and -r the words are files; with either they are a filter, as tcpdump has it. */
static enum status take_words(struct options *options, char *const *words, size_t count,
                              char *message)
{
    if (count == 0)
        return STATUS_OK;
    if (options->interface_count + options->file_count > 0)
        return option_set_filter(options, join(words, count), message);
    for (size_t i = 0; i < count; i++) {
        if (words[i][0] == '\0')
            return option_refuse(message, "the name of file %llu is empty; - is standard input",
                                 (unsigned long long)i + 1);
        options->files[options->file_count++] = words[i];
    }
    return STATUS_OK;
}

/* Words with a job of their own come first on the line. */
static const struct job {
    const char *word;
    enum output_kind output;
} jobs[] = {
    {"ladder", OUTPUT_LADDER},
    {"top", OUTPUT_TOP},
};

static const struct job *find_job(int argc, char *const *argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof jobs / sizeof jobs[0]; i++) {
        if (strcmp(argv[1], jobs[i].word) == 0)
            return &jobs[i];
    }
    return NULL;
}

static enum status parse_merge(int argc, char **argv, struct options *options, char *message)
{
    enum status status = read_options(argc - 1, argv + 1, options, message);
    if (status != STATUS_OK || options->action != ACTION_ANALYSE)
        return status;
    options->action = ACTION_MERGE;
    for (int i = optind + 1; i < argc; i++)
        options->files[options->file_count++] = argv[i];
    return options_check_merge(options, message);
}

static enum status take_job(struct options *options, const struct job *job, char *message)
{
    if (job == NULL)
        return STATUS_OK;
    if (options->output_count == OPTIONS_OUTPUTS)
        return option_refuse(message, "more than %d outputs; leave some out", OPTIONS_OUTPUTS);
    options->outputs[options->output_count++] = (struct output){job->output, NULL};
    options->has_view = job->output == OUTPUT_TOP;
    return STATUS_OK;
}

enum status options_parse(int argc, char **argv, struct options *options, char *message)
{
    *options = (struct options){
        .config = config_default(),
        .files = calloc((size_t)argc + 1, sizeof *options->files),
        .interfaces = calloc((size_t)argc + 1, sizeof *options->interfaces),
        .since = NANOTIME_UNKNOWN,
        .until = NANOTIME_UNKNOWN,
        .snaplen = 262144,
        .buffer_kib = 65536,
        .spool = UINT64_C(1) << 30,
        .promiscuous = true,
        .fail_event = EVENT_IDS,
    };
    if (options->files == NULL || options->interfaces == NULL)
        return STATUS_NO_MEMORY;
    if (argc > 1 && strcmp(argv[1], "merge") == 0)
        return parse_merge(argc, argv, options, message);
    const struct job *job = find_job(argc, argv);
    argc -= job != NULL;
    argv += job != NULL;
    enum status status = read_options(argc, argv, options, message);
    if (status != STATUS_OK || options->action != ACTION_ANALYSE)
        return status;
    status = take_words(options, argv + optind, (size_t)(argc - optind), message);
    if (status == STATUS_OK)
        status = take_job(options, job, message);
    return status == STATUS_OK ? options_check(options, message) : status;
}

void options_clear(struct options *options)
{
    free(options->files);
    free(options->interfaces);
    free(options->filter);
    for (size_t i = 0; i < options->tap_count; i++) {
        free(options->taps[i].name);
        free(options->taps[i].files);
    }
    options->tap_count = 0;
    options->files = NULL;
    options->interfaces = NULL;
    options->filter = NULL;
}
