/*
 * sinks: the sinks there are, and how each is asked for.
 *
 * A constructor takes an open stream, which it does not close.  options is copied, but what it
 * points to must outlive the sink.  On success the caller owns *ret_sink and ends it with its free
 * operation.  Failure is STATUS_NO_MEMORY.  Operations then fail with STATUS_WRITE, or
 * STATUS_CLOSED when the reader of the stream went away, and leave errno as the write left it;
 * only flush and finish make sure that everything has left.
 */
#ifndef LASTACK_SINK_SINKS_H
#define LASTACK_SINK_SINKS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../event/sink.h"

/* The major and minor version of what is written (RECORDS); additive changes raise the minor. */
#define SINK_SCHEMA_VERSION "1.0"

enum flows_wanted {
    FLOWS_DEFAULT, /* as the sink has it: NDJSON all, the report those with problems */
    FLOWS_ALL,
    FLOWS_PROBLEMS, /* flows that name a selected event */
    FLOWS_NONE
};

/* Packets that were read from one of several inputs without another between. */
struct input_span {
    const char *name;     /* as given; from outside: escape it */
    uint64_t before;      /* packets of the whole input that come before its first */
    uint64_t file_before; /* packets of this input that do */
};

/* Those that reading has come to, in reading order; it grows while records are written. */
struct input_spans {
    const struct input_span *spans;
    uint32_t count;
    uint64_t known; /* packets of the whole input whose place is known; 0: all */
};

/* Several taps, by their order on the command line; a packet's number counts those of its tap. */
struct tap_names {
    const char *const *names;               /* from the command line: escape them */
    const struct input_spans *const *spans; /* of each tap's own inputs */
    uint32_t count;
};

/* Which ladders are drawn. */
enum ladder_choice_kind {
    LADDER_PROBLEMS, /* those with events that are selected; all, where there are none */
    LADDER_NUMBER,   /* the one of this number, in the order of first segments, from 1 */
    LADDER_UID,      /* the incarnation of this flow_uid */
    LADDER_ENDS      /* what went between these two ends, in either direction */
};

struct ladder_choice {
    enum ladder_choice_kind kind;
    uint64_t number; /* LADDER_NUMBER and LADDER_UID */
    uint8_t ip_version;
    uint8_t address[2][16]; /* network order, IPv4 in the first four octets */
    uint16_t port[2];
};

struct sink_options {
    const char *version;              /* of lastack, for summary and report */
    const char *observer;             /* name of the capturing host; NULL: no observer object */
    const struct input_spans *inputs; /* beside packet numbers go file and file_packet; NULL: not */
    const struct tap_names *taps;     /* NULL: one tap without a name */
    bool nano;                        /* nine fraction digits instead of six */
    enum level minimum_level;         /* of events; 0: info, and notice for the text summary */
    const bool *events;               /* by enum event_id, those wanted; NULL: all */
    enum flows_wanted flows;
    bool segments;               /* NDJSON: segment records, too */
    bool piece;                  /* NDJSON: deltas records, too */
    bool transitions;            /* NDJSON: transition records, too */
    bool aside;                  /* NDJSON: a file is written by a thread of its own */
    bool empties;                /* NDJSON: what the file holds yet is to go first */
    bool colour;                 /* text: the stream is a terminal that knows colours */
    int columns;                 /* text: width; 0: 80, and never over 100; ladders: over 200 */
    bool utf8;                   /* ladder: lines may be drawn with characters beyond ASCII */
    struct ladder_choice ladder; /* ladder and SVG */
    bool open_metrics;           /* metrics: the page in both spellings */
    uint32_t metrics_top;        /* metrics: so many services, the worst ones, by their names */
    uint32_t kept_flows;    /* flow records that the report holds until the end, connections that
                               sink_concerned_new remembers; 0: the default */
    uint32_t kept_plain;    /* report: of these, flows without problems at most, and worse ones take
                               the place of others; 0: no such limit, the first are kept */
    uint32_t kept_ladders;  /* HTML, ladder and SVG: ladders held; 0: the default */
    uint32_t kept_problems; /* report and text: groups of problems held; 0: the default */
};

/* One record a line, the summary last. */
enum status sink_ndjson_new(const struct sink_options *options, FILE *stream,
                            struct sink **ret_sink);

/* Counts a flow that is written otherwise in the summary's dwell times; of a sink that
 * sink_ndjson_new made. */
enum status sink_ndjson_count(struct sink *sink, const struct flow_record *flow);

/* Writes a record that is spelled already, without its end of line; of such a sink. */
enum status sink_ndjson_pass(struct sink *sink, const char *text, size_t length);

/* One JSON document, written by finish. */
enum status sink_report_new(const struct sink_options *options, FILE *stream,
                            struct sink **ret_sink);

/* Flow records for which there was no room; of a sink that sink_report_new made. */
uint64_t sink_report_left_out(const struct sink *sink);

/* How many flow records such a sink holds; their flow_uids go to uids unless that is NULL. */
uint32_t sink_report_kept(const struct sink *sink, uint64_t *uids);

/* A summary in plain words, written by finish. */
enum status sink_text_new(const struct sink_options *options, FILE *stream, struct sink **ret_sink);

/* Both sides' states beside every segment, written by finish: for a terminal, and as SVG. */
enum status sink_ladder_new(const struct sink_options *options, FILE *stream,
                            struct sink **ret_sink);
enum status sink_svg_new(const struct sink_options *options, FILE *stream, struct sink **ret_sink);

/* One HTML page that needs nothing else, written by finish. */
enum status sink_html_new(const struct sink_options *options, FILE *stream, struct sink **ret_sink);

/*
 * Counts in the spelling of Prometheus (text format 0.0.4), a whole page in one write for every
 * stats record, and at the end.  With open_metrics each write has the page as OpenMetrics 1.0
 * first, then an octet 0, then the other.
 */
enum status sink_metrics_new(const struct sink_options *options, FILE *stream,
                             struct sink **ret_sink);

/*
 * Writes nothing and remembers which connections the events concern that NDJSON would write by the
 * same options: the event's own, and the one before on its tuple where its evidence lies there.
 */
enum status sink_concerned_new(const struct sink_options *options, struct sink **ret_sink);

/* Whether an event concerned the connection. */
bool sink_concerned_has(const struct sink *sink, uint64_t flow_uid);

/* How often there was no room to remember one. */
uint64_t sink_concerned_left_out(const struct sink *sink);

#endif
