/* account_parts: what the files of account tell each other. */
#ifndef LASTACK_ACCOUNT_PARTS_H
#define LASTACK_ACCOUNT_PARTS_H

#include "event/record.h"
#include "flow/transcript.h"
#include "tcp/rtt.h"

/* What of a side the next segments are measured by: as struct side has it. */
struct speaker {
    seq snd_nxt, snd_una, timed_end;
    uint32_t timed_tsval;
    nanotime timed_t;
    bool timed, stamps;
    uint32_t most; /* payload that its SYN offers to take at a time; as much as there is without */
    struct rtt rtt;
};

struct account {
    const struct transcript_head *head;
    const struct transcript_entry *entry; /* the first */
    struct speaker speaker[SIDES];
    struct flow_record *flow;
    nanotime last_t;
    uint32_t word;    /* which segment is the server's first after the handshake; 0: not yet */
    unsigned strange; /* not 0: of Zeek's view more than letters would have to be known */
    char *letter;     /* where the next letter of Zeek's history goes */
    unsigned written; /* which it has, a bit each */
};

/* Whether the side's SYN has the option. */
static inline bool account_offers(const struct transcript_head *head, int side,
                                  enum tcp_option_bit option)
{
    return (head->options[side] & option) != 0;
}

/*
 * Takes all segments: fills the speakers, when the last packet passed, and the word; of the record,
 * which is cleared, the counts of its sides, the caveats and Zeek's history.  false: not all that
 * the segments say of those is found here.
 */
bool account_read(struct account *account);

#endif
