/* main: the program lastack.  Reads the command line and does what it asks for. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analysis.h"
#include "exit_status.h"
#include "merge.h"
#include "messages.h"
#include "options.h"
#include "reference.h"
#include "sink/schema.h"
#include "tunables.h"
#include "source/source.h"

static enum exit_status list_interfaces(bool json)
{
    char message[MESSAGE_SIZE] = "";
    enum status status = source_list_interfaces(stdout, json, message);
    return status == STATUS_OK ? EXIT_DONE : exit_refuse(status, message);
}

static enum exit_status explain(const char *id)
{
    if (reference_explain(stdout, id))
        return EXIT_DONE;
    const char *near = reference_nearest(id);
    if (near != NULL)
        message_print("--explain: there is no event \"%s\"; did you mean %s?", id, near);
    else
        message_print("--explain: there is no event \"%s\"; lastack --list-events shows them all",
                      id);
    return EXIT_USAGE;
}

static enum exit_status list_events(const struct options *options)
{
    if (options->list_json)
        reference_list_json(stdout, options->notes);
    else
        reference_list(stdout, options->notes);
    return EXIT_DONE;
}

static enum exit_status act(const struct options *options)
{
    switch (options->action) {
    case ACTION_ANALYSE:
        return analysis_run(options);
    case ACTION_MERGE:
        return merge_run(options);
    case ACTION_INTERFACES:
        return list_interfaces(options->list_json);
    case ACTION_LIST_EVENTS:
        return list_events(options);
    case ACTION_EXPLAIN:
        return explain(options->explain);
    case ACTION_LIST_CONFIG:
        (options->list_json ? tunables_list_json : tunables_list)(stdout, &options->config);
        return EXIT_DONE;
    case ACTION_SCHEMA:
        return exit_status_of(sink_schema_print(stdout));
    case ACTION_VERSION:
        reference_version(stdout);
        return EXIT_DONE;
    case ACTION_HELP:
        options_print_help(stdout);
        return EXIT_DONE;
    }
    return EXIT_USAGE;
}

/* An answer to a question is on standard output only when it could be written there. */
static enum exit_status flush_answer(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_DONE;
    if (errno == EPIPE)
        return EXIT_DONE;
    message_print("cannot write standard output: %s", strerror(errno));
    return EXIT_UNWRITTEN;
}

/*
 * What is closed at the start is opened: else a file that is written would have the number of
 * standard error, and messages in it.  Each the wrong way round, so that it fails as a closed one.
 */
static void occupy_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

int main(int argc, char **argv)
{
    struct options options;
    char message[MESSAGE_SIZE] = "";
    occupy_standard_descriptors();
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a result of writing */
    signal(SIGXFSZ, SIG_IGN); /* and so is a file that may not grow (ulimit -f) */
    enum status status = options_parse(argc, argv, &options, message);
    enum exit_status exit_status =
        status == STATUS_OK ? act(&options) : exit_refuse(status, message);
    if (status == STATUS_OK && options.action != ACTION_ANALYSE && options.action != ACTION_MERGE)
        exit_status = exit_worse_of(exit_status, flush_answer());
    options_clear(&options);
    return (int)exit_status;
}
