/*
 * options: the command line as a value.  The table is options.def, the rules are those of
 * lastack(1).
 */
#ifndef LASTACK_OPTIONS_H
#define LASTACK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"
#include "base/time.h"
#include "config.h"
#include "event/catalogue.h"
#include "sink/sinks.h"

enum { OPTIONS_OUTPUTS = 8, OPTIONS_INTERFACES = 64, OPTIONS_TAPS = 8 };

enum option_id {
#define OPTION(id, letter, long_name, argument, group, help) OPTION_##id,
#include "options.def"
#undef OPTION
    OPTION_IDS
};

enum option_group { GROUP_READING, GROUP_WRITING, GROUP_ANALYSIS, GROUP_MANNERS, OPTION_GROUPS };

/* One row of options.def. */
struct option_row {
    int letter;            /* 0: none */
    const char *long_name; /* NULL: none */
    const char *argument;  /* NULL: none; "[...]": may be left out */
    enum option_group group;
    const char *help;
};

/* What the program is asked to do. */
enum action {
    ACTION_ANALYSE,
    ACTION_MERGE,
    ACTION_INTERFACES,
    ACTION_LIST_EVENTS,
    ACTION_EXPLAIN,
    ACTION_LIST_CONFIG,
    ACTION_SCHEMA,
    ACTION_VERSION,
    ACTION_HELP
};

enum output_kind {
    OUTPUT_TEXT,
    OUTPUT_JSON,
    OUTPUT_NDJSON,
    OUTPUT_LADDER,
    OUTPUT_SVG,
    OUTPUT_HTML,
    OUTPUT_TOP, /* the live view, on the terminal */
    OUTPUT_METRICS,
    OUTPUT_METRICS_LISTEN, /* file is where to listen */
    OUTPUT_HTTP,           /* likewise */
    OUTPUT_KAFKA,          /* file is a list of brokers */
    OUTPUT_PACKETS         /* pcapng, of connections with problems */
};

struct output {
    enum output_kind kind;
    const char *file; /* NULL: standard output */
};

/* Of which connections something is written. */
enum choice { CHOICE_DEFAULT, CHOICE_NONE, CHOICE_PROBLEMS, CHOICE_ALL, CHOICE_ONE };

/* One of several points at which a capture was made.  The first one's files are options.files. */
struct tap_option {
    char *name;         /* owned */
    const char **files; /* owned; NULL for the first */
    size_t file_count;
};

/* Strings point into argv unless a comment says otherwise. */
struct options {
    enum action action;
    struct config config;
    const char **files; /* owned; in the order given */
    size_t file_count;
    const char **interfaces; /* owned; none: files are read */
    size_t interface_count;
    struct tap_option taps[OPTIONS_TAPS];
    size_t tap_count; /* 0: no taps */
    char *filter;     /* owned; NULL: none */
    uint64_t count;   /* 0: all */
    nanotime since;   /* NANOTIME_UNKNOWN: from the beginning */
    nanotime until;   /* NANOTIME_UNKNOWN: to the end */
    uint64_t snaplen;
    uint64_t buffer_kib;
    uint64_t spool;   /* octets on disk for packets that come once */
    const char *user; /* to become; NULL: not named */
    const char *link_type;  /* by libpcap's name; NULL: the interface's own */
    const char *stamp_type; /* likewise */
    bool promiscuous;
    bool follow;                            /* go on at the end of the last file */
    struct output outputs[OPTIONS_OUTPUTS]; /* none: main chooses by the terminal */
    size_t output_count;
    enum choice flows;
    enum choice segments;  /* CHOICE_DEFAULT: none; CHOICE_PROBLEMS: every file can be read again */
    uint64_t segments_uid; /* with CHOICE_ONE */
    bool transitions;
    bool piece; /* of a capture: what lastack merge needs is written */
    struct ladder_choice ladder;
    enum level level; /* 0: each output's own */
    bool events_chosen;
    bool events[EVENT_IDS]; /* with events_chosen */
    bool nano;
    bool flush;
    const char *topic;        /* of Kafka; NULL: not named */
    const char *http_token;   /* file that has it; NULL: not named */
    uint64_t metrics_top;     /* services; 0: none */
    uint64_t stats_interval;  /* s; 0: no such records */
    uint64_t rotate_size;     /* octets; 0: files are not renamed for their size */
    uint64_t rotate_time;     /* s; 0: nor for their age */
    uint64_t rotate_keep;     /* 0: all renamed files stay */
    const char *state_in;     /* of the run before; NULL: this is the first */
    const char *state_out;    /* for the run after; NULL: this is the last */
    const char *observer;     /* NULL: not named */
    enum level fail_level;    /* 0: none */
    enum event_id fail_event; /* EVENT_IDS: none */
    const char *fail_family;  /* such as C3; NULL: none; static */
    bool has_view;            /* OUTPUT_TOP is among the outputs */
    bool quiet;
    bool verbose;
    bool list_json;
    bool notes;
    const char *explain;
};

/*
 * Reads the command line; argv is permuted as getopt_long(3) does.
 *
 * On failure returns USAGE, or NO_MEMORY, and fills message (MESSAGE_SIZE octets) with one line
 * that names the option, the value and what to type instead.  In either case the caller clears
 * *options.
 */
enum status options_parse(int argc, char **argv, struct options *options, char *message);

/* Whether the input can be read once only: standard input, a pipe, a device, an interface. */
bool options_input_comes_once(const struct options *options);

/* Frees what options owns. */
void options_clear(struct options *options);

/* The row of an option, and the heading of a group; static storage. */
const struct option_row *option_row(enum option_id id);
const char *option_group_title(enum option_group group);

/* Writes --help to stream. */
void options_print_help(FILE *stream);

#endif
