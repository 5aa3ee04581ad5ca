/*
 * trails: what passed between the ends that spoke last, bounded: of each pair of ends its first
 * segments and its latest.  Where all places are taken, the ends that were silent longest give way.
 */
#ifndef LASTACK_SINK_TRAILS_H
#define LASTACK_SINK_TRAILS_H

#include "../base/status.h"
#include "../event/record.h"

enum { TRAILS_MOST = 4096, TRAIL_FIRST = 16, TRAIL_LATEST = 48 };

/* A segment record without what it shares with the others of its trail. */
struct trail_segment {
    nanotime t;
    uint64_t packet, flow_uid, window;
    uint32_t incarnation, seq, ack, seq_abs, ack_abs, payload;
    uint8_t flags, from, verdict;
    bool turned; /* its client is the other end of the trail */
    bool seq_known, ack_known;
    uint8_t after[2], basis[2];
};

struct trail {
    struct flow_identity who; /* as of the latest segment */
    uint64_t number;          /* in the order of first segments, from 1 */
    nanotime last;
    uint64_t packets;               /* of all its incarnations */
    enum tcp_state state[2];        /* by who's sides, now */
    bool presumed[2];               /* not proved yet */
    bool over;                      /* the latest incarnation's record came */
    enum level worst;               /* of events about it; 0: none */
    struct trail_segment *segments; /* owned */
    uint32_t kept, room;
    uint64_t newer_than_first; /* segments that came after the first ones */
    uint32_t next, newer, older, bucket;
};

struct trails;

struct trails *trails_new(void); /* NULL: out of memory */

/* Each takes what a record tells; NO_MEMORY only. */
enum status trails_segment(struct trails *trails, const struct segment_record *segment);
void trails_transition(struct trails *trails, const struct transition_record *transition);
void trails_event(struct trails *trails, const struct event_record *event);
void trails_flow(struct trails *trails, const struct flow_record *flow);

/* NULL: nothing is remembered of these ends. */
const struct trail *trails_find(const struct trails *trails, const struct flow_identity *who);

/* All of them, by number, the newest first; returns how many.  room: TRAILS_MOST. */
uint32_t trails_list(const struct trails *trails, const struct trail **ret_list);

/* The segments that are left in their order, each as its record; false: there is no such one. */
bool trail_record(const struct trail *trail, uint32_t index, struct segment_record *ret_segment);

/* Segments between the first and the latest that are not kept. */
uint64_t trail_left_out(const struct trail *trail);

void trails_free(struct trails *trails); /* accepts NULL */

#endif
