/*
 * analyzer: the library.  Packets in, records out to a sink.
 *
 * new, then packets in capture order, ticks when nothing comes, finish once, free.  The capture
 * clock is the running maximum of the packets' time stamps and of the ticks.  Records leave in the
 * order of (time of decision, deciding packet or 0 for a deadline, flow_uid, detector row); the
 * same packets give the same records, whatever the batches.
 */
#ifndef LASTACK_ANALYZER_H
#define LASTACK_ANALYZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/captured.h"
#include "base/carry.h"
#include "base/status.h"
#include "base/time.h"
#include "config.h"
#include "event/sink.h"
#include "event/told.h"

struct analyzer;

struct analyzer_options {
    struct config config;
    bool segments, transitions; /* the opt-in records are wanted */
    bool piece;                 /* of a capture: tapes are wanted, too, for analyzer_replay() */
    struct sink *sink;          /* where records go; not owned, outlives the analyzer */
    bool sink_anywhere;         /* which may be called on another thread, one at a time, from the
                                   first packet on until analyzer_settle() */
    const char *const *taps;    /* names of several taps; not owned */
    uint32_t tap_count;         /* 0: there is one, without a name; at most 8 */
    uint64_t reserved;          /* octets of max_memory that the caller itself needs */
};

/* Octets of max_memory that connections may take; the rest is for the caller, the census and the
 * threads.  Where these need more than three quarters of it they get it, and max_memory does not
 * hold: *ret_holds is false then. */
uint64_t analyzer_room(const struct analyzer_options *options, bool *ret_holds);

/* A captured packet; plain value. */
struct analyzer_packet {
    const uint8_t *data; /* owned by the caller, needed for the call only */
    uint32_t captured;   /* octets at data */
    uint32_t length;     /* octets on the wire */
    nanotime time;       /* capture time, ns since the epoch */
    int link_type;       /* DLT_ value */
    uint64_t number;     /* in the whole input, from 1; 0: the one after the packet before */
    uint64_t lost;       /* packets that the capture lost since the one before, if it tells */
    uint32_t tap;        /* which of several, by its place among their names */
    uint32_t seen_on;    /* which interface or file of several, from 1; 0: not known */
};

/* What the caller knows and the analyzer does not, for the summary. */
struct analyzer_inputs {
    const struct input_summary *inputs;
    uint32_t count;
    nanotime now;     /* of the records of this moment; 0: the capture clock */
    bool drops_known; /* live: libpcap's three counters */
    uint64_t drops_received, drops_kernel, drops_interface;
    bool lag_known; /* live: how far the analysis is behind the capture */
    nanotime lag;
    const char *(*link_type_name)(int link_type); /* returns static storage */
};

/* Makes an analyzer; NO_MEMORY is the only failure.  The caller owns *ret_analyzer. */
enum status analyzer_new(const struct analyzer_options *options, struct analyzer **ret_analyzer);

/*
 * Takes one packet.  Packets are kept until a batch is full: a record may
 * come out with a later packet, with a tick, or with finish.  Returns NO_MEMORY, or what the sink
 * returned; the analyzer can go on after either.
 */
enum status analyzer_packet(struct analyzer *analyzer, const struct analyzer_packet *packet);

/*
 * Takes several, of the first tap, one after the other, which differ in what struct captured says
 * alone: it costs less.  In `first`, the first of them, all else counts; `lost` packets came before
 * it.  *ret_taken are fewer than count only with NO_MEMORY, which the last one taken met; else the
 * last failure is returned.
 */
enum status analyzer_packets(struct analyzer *analyzer, const struct analyzer_packet *first,
                             const struct captured *packets, size_t count, size_t *ret_taken);

/*
 * What can be made of a packet of the first tap before it is its turn, on any thread, in that many
 * octets; false: nothing.  Who does it lets the packet say so (`foreseen`), which costs less then.
 */
size_t analyzer_foreseen_octets(void);
bool analyzer_foresee(int link_type, const struct captured *packet, void *ret_foreseen);

/* What threads do that have nothing to do: some of it, and whether there was any.  NULL: nothing,
 * and no thread does what was set before.  False where there is one thread alone. */
bool analyzer_set_aside(struct analyzer *analyzer, bool (*work)(void *context), void *context);

/* Tells them that there is something of it to do again. */
void analyzer_offer_aside(struct analyzer *analyzer);

/*
 * With several taps: the first one's packets are analysed, and those of the others tell what became
 * of them.  Packets of a tap come in capture order; of two taps, those that were captured at about
 * the same time come at about the same time.  analyzer_tap_time gives a moment of a tap's clock as
 * the first one's shows it, as far as is known by now; NANOTIME_UNKNOWN before that.
 */
nanotime analyzer_tap_time(const struct analyzer *analyzer, uint32_t tap, nanotime t);

/* Nothing more comes from that tap. */
void analyzer_tap_end(struct analyzer *analyzer, uint32_t tap);

/* All packets so far are analysed, and until the next call the sink is the caller's again.  The
 * first failure since the last call. */
enum status analyzer_settle(struct analyzer *analyzer);

/* Carries the capture clock on to `now` (never back), with all packets so far analysed first. */
enum status analyzer_tick(struct analyzer *analyzer, nanotime now);

/*
 * The capture lost so many packets between these moments of its clock, the last of which may be
 * ahead of it: what is deduced of connections that waited for a packet then is less certain.
 */
void analyzer_note_drops(struct analyzer *analyzer, uint64_t lost, nanotime from, nanotime until);

/* Writes every connection that lives as a part (a flow record that is not final). */
enum status analyzer_snapshot(struct analyzer *analyzer);

/* Writes how things stand; of inputs the drops alone are read. */
enum status analyzer_stats(struct analyzer *analyzer, const struct analyzer_inputs *inputs);

/* Hands how things stand, and what the census counted so far, to this sink alone. */
enum status analyzer_look(struct analyzer *analyzer, const struct analyzer_inputs *inputs,
                          struct sink *sink);

/*
 * Writes all that the outcome depends on, in the place of analyzer_finish; or fills an analyzer
 * that has taken nothing yet with it.  The number of threads may be another one.  The configuration
 * may not: USAGE then, with a message (MESSAGE_SIZE octets) to be put behind the state's name.  All
 * other failures stay with the carry; after one the analyzer can be freed, and nothing else.
 */
enum status analyzer_carry(struct analyzer *analyzer, struct carry *carry, char *message);

/* A tape as a piece's analyzer wrote it (struct tape_record). */
struct analyzer_tape {
    const uint8_t *octets;
    size_t count;
    uint32_t piece;          /* which piece, in the order of the capture */
    uint64_t packets_before; /* in the pieces before */
    nanotime clock_before;   /* their latest time stamp */
};

/* What the pieces' censuses were told of all other connections, one thing at a time and in order;
 * *ret_any false at the end. */
struct analyzer_told {
    enum status (*next)(void *context, struct told *ret_told, bool *ret_any);
    void *context;
};

/*
 * Analyses the segments of the tapes of all pieces, in the order of the capture, and tells the
 * census of the other connections between them.  What goes on from one piece to another has the
 * caveat piece_boundary.  Returns UNREADABLE when a tape is none that this build wrote, NO_MEMORY,
 * or what others->next or the sink returned.
 */
enum status analyzer_replay(struct analyzer *analyzer, const struct analyzer_tape *tapes,
                            uint32_t count, const struct analyzer_told *others);

/* Ends every flow, writes the summary.  Nothing but analyzer_free may follow. */
enum status analyzer_finish(struct analyzer *analyzer, const struct analyzer_inputs *inputs);

void analyzer_free(struct analyzer *analyzer); /* accepts NULL */

#endif
