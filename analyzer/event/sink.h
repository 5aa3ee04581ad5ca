/*
 * sink: where records go.  A vtable; each sink is one file under sink/.
 *
 * Order of calls: any number of flow, event, transition, segment, delta, host, path and stats, then
 * finish once with the summary, then free.  A call that fails returns a status once and keeps
 * failing; the caller goes on with the other sinks.  Records are valid for the call only.
 */
#ifndef LASTACK_EVENT_SINK_H
#define LASTACK_EVENT_SINK_H

#include "../base/carry.h"
#include "../base/status.h"
#include "delta.h"
#include "host_record.h"
#include "path_record.h"
#include "record.h"

enum { SUMMARY_RESULTS = 64, SUMMARY_LINK_TYPES = 16, SUMMARY_NAME = 32 };

/* One interface of an input, as a pcapng file tells. */
struct interface_summary {
    const char *name;      /* from outside: escape it; NULL: not told */
    const char *link_type; /* static */
    uint64_t snaplen;      /* 0: no limit */
    uint64_t packets;
    uint64_t drops;
    bool drops_known; /* false: null */
};

/* One input as the source knows it. */
struct input_summary {
    const char *name; /* file name as given, "-" for stdin, or interface; from outside: escape it */
    const char *format;      /* "pcap", "pcapng" */
    const char *compression; /* "gzip", "zstd", "lz4", "xz"; NULL: none */
    uint64_t packets;
    uint64_t first_packet; /* the number that its first one has in the whole input; 0: none read */
    uint64_t bytes;        /* octets of the file read, compressed size; 0 unknown */
    bool damaged;          /* it ended in the middle of a record or was broken */
    uint64_t stopped_at_packet; /* last good packet when damaged */
    char problem[384];          /* one line in words; empty: none */
    nanotime first, last;       /* its earliest and latest packet; NANOTIME_UNKNOWN: none */
    nanotime gap;      /* from the latest packet of the inputs before it; NANOTIME_UNKNOWN: none */
    nanotime overlap;  /* by how much it begins before that; NANOTIME_UNKNOWN: it does not */
    uint64_t sections; /* pcapng; 0: another format */
    uint64_t comments;
    uint64_t skipped_blocks; /* whole, without packets */
    uint64_t damaged_blocks; /* left out */
    const struct interface_summary *interfaces;
    uint32_t interface_count;
};

struct count_by_name {
    const char *name; /* static */
    uint64_t count;
};

/* Everything that is said once, at the end. */
struct run_summary {
    const struct input_summary *inputs;
    uint32_t input_count;
    uint64_t packets;   /* read */
    uint64_t bytes;     /* on the wire, by the frames' own length */
    uint64_t segments;  /* TCP segments analysed, copies left out */
    uint64_t copies;    /* captured twice */
    uint64_t truncated; /* packets cut at the snap length */
    uint64_t bad_checksums;
    uint64_t timestamp_regressions;
    nanotime first, last; /* capture time span; NANOTIME_UNKNOWN: no packet */
    struct count_by_name skipped[SUMMARY_RESULTS]; /* by reason, those above 0, in table order */
    uint32_t skipped_count;
    struct count_by_name link_types[SUMMARY_LINK_TYPES];
    uint32_t link_type_count;
    bool drops_known; /* live: libpcap's counters */
    uint64_t drops_received, drops_kernel, drops_interface;
    uint64_t flows; /* flow records with final true */
    uint64_t flows_by_kind[CLOSE_KINDS];
    uint64_t left[2][TCP_STATES];          /* states left behind per side */
    uint64_t left_presumed[2][TCP_STATES]; /* of these, the presumed ones */
    uint64_t events_by_id[EVENT_IDS];
    uint64_t events_by_level[LEVEL_ERROR + 1];
    uint64_t evictions, tombstones_evicted, events_dropped;
    uint64_t history_dropped;
    uint64_t hosts_left_out; /* sources, services and pairs without a record */
};

/* How things stand while a capture goes on; counts are those since it began. */
struct stats_record {
    nanotime t;       /* of this record */
    nanotime started; /* its first packet; NANOTIME_UNKNOWN: none yet */
    uint64_t packets, bytes, segments, copies;
    bool drops_known; /* libpcap's counters */
    uint64_t drops_received, drops_kernel, drops_interface;
    uint64_t open;                  /* incarnations held, closed ones that wait for 2MSL included */
    uint64_t states[2][TCP_STATES]; /* of these, by the state of each side */
    uint64_t flows;                 /* that ended */
    uint64_t flows_by_kind[CLOSE_KINDS];
    uint64_t events_by_id[EVENT_IDS];
    uint64_t events_by_level[LEVEL_ERROR + 1];
    uint64_t memory, memory_limit; /* octets for connections */
    uint64_t evictions, tombstones_evicted, events_dropped, history_dropped;
    struct stock_peaks peaks;
    nanotime lag; /* live: how far the analysis is behind the capture; NANOTIME_UNKNOWN: not live */
};

/* What sinks gather until the end: a later run goes on with it. */
enum sink_part {
    SINK_DWELL,  /* how long sides stayed in the states of the close */
    SINK_REPORT, /* problems and flow records of the JSON report */
    SINK_TEXT,   /* problems of the text summary */
    SINK_PARTS
};

struct plain_flow;
struct sink;

enum { FORESEE_STEPS = 4 };

struct sink_ops {
    enum status (*flow)(struct sink *sink, const struct flow_record *flow);
    /* One that makes the text of flow records for it on another thread; NULL: none. */
    struct speller *(*speller)(struct sink *sink);
    enum status (*event)(struct sink *sink, const struct event_record *event);
    /* In the place of flow, where all was ordinary (told_plain_flow).  NULL: flow alone. */
    enum status (*plain)(struct sink *sink, const struct plain_flow *plain);
    enum status (*transition)(struct sink *sink, const struct transition_record *transition);
    enum status (*segment)(struct sink *sink, const struct segment_record *segment);
    enum status (*delta)(struct sink *sink, const struct delta *delta);
    /* Where the next delta is kept: it is written there, every member, before anything else is
     * asked of the sink, and need not be given to it.  NULL: memory ran out.  A sink that keeps
     * none has no such operation. */
    struct delta *(*place)(struct sink *sink);
    /* These deltas come soon: what they need, most of it far away in memory, may be fetched, and
     * their place noted.  In FORESEE_STEPS steps, each of which asks for what the next one looks
     * at: best with other work between them. */
    void (*foresee)(struct sink *sink, struct delta *const *deltas, size_t count, int step);
    enum status (*host)(struct sink *sink, const struct host_record *host);
    enum status (*path)(struct sink *sink, const struct path_record *path);
    enum status (*stats)(struct sink *sink, const struct stats_record *stats);
    enum status (*tape)(struct sink *sink, const struct tape_record *tape);
    /* Where the spelled texts of flows stand is used anew: until then they may be read. */
    enum status (*settle)(struct sink *sink);
    enum status (*flush)(struct sink *sink); /* make what was written visible to the reader */
    enum status (*finish)(struct sink *sink, const struct run_summary *summary);
    /* Writes the part, or fills it in a sink that was fed nothing yet; false: it has none of it. */
    bool (*carry)(struct sink *sink, enum sink_part part, struct carry *carry);
    void (*free)(struct sink *sink); /* accepts NULL */
};

/* Embedded first in every sink; a NULL operation means that the sink does not want that record. */
struct sink {
    const struct sink_ops *ops;
};

#endif
