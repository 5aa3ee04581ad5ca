/*
 * delta: what changed on a connection, as plain value: what the census by host is fed with.
 *
 * Deltas leave the engines with the records and in their order, so whatever counts them counts the
 * same with any number of threads.
 */
#ifndef LASTACK_EVENT_DELTA_H
#define LASTACK_EVENT_DELTA_H

#include "record.h"

/* What a side holds of its host: the eleven states and UNKNOWN, as far as stocks tell them apart.
 */
enum holding {
    HOLDING_NOTHING, /* CLOSED, LISTEN */
    HOLDING_OPENING, /* SYN_SENT, SYN_RCVD */
    HOLDING_OPEN,    /* any other state with a socket that is none of the next */
    HOLDING_LAST,    /* LAST_ACK: through, but for an acknowledgment */
    HOLDING_CLOSE_WAIT,
    HOLDING_TIME_WAIT,
    HOLDINGS
};

enum delta_what {
    DELTA_OPENED = 0x01,       /* its first packet; `reuse` is known then */
    DELTA_SYN_AGAIN = 0x02,    /* the SYN was repeated */
    DELTA_ANSWERED = 0x04,     /* the first SYN-ACK */
    DELTA_ANSWER_AGAIN = 0x08, /* a SYN-ACK was repeated */
    DELTA_GONE = 0x10,         /* its record was written */
    DELTA_CUT = 0x100,         /* with GONE: only because the capture ended; all stays held */
    DELTA_ESTABLISHED = 0x40,  /* the handshake is whole; told once */
    DELTA_CLOSED = 0x80,       /* both sides are through, but for LAST_ACK and TIME_WAIT; once */
    DELTA_MIDSTREAM = 0x20,    /* with OPENED: it began before the capture */
};

struct delta {
    unsigned what; /* bits of enum delta_what */
    uint32_t incarnation;
    nanotime t;      /* on the capture clock */
    nanotime opened; /* the connection's first packet */
    nanotime reuse;  /* OPENED, and the SYN that takes the client's port: since the last packet of
                        the connection before it on these ports; NANOTIME_UNKNOWN: there was none */
    uint64_t packet; /* the deciding one; 0: a deadline */
    uint64_t flow_uid;
    uint32_t place[2];         /* of its ends in the census, by side_index; 0: not looked up yet */
    uint32_t seq_abs, ack_abs; /* of the packet */
    uint8_t flags;
    uint8_t from; /* side_index of its sender */
    uint8_t ip_version;
    uint8_t before[2], after[2];   /* enum holding, by side_index */
    uint8_t state[2];              /* enum tcp_state now, likewise */
    uint8_t close_kind, initiator; /* GONE: enum close_kind, enum initiator */
    bool answered, established;    /* GONE: whether it ever was */
    struct endpoint_record end[2]; /* with the counts up to now */
};

#endif
