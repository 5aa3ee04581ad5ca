/*
 * chain: the pieces of one capture, a run of lastack each, joined by state files.
 *
 * A state holds what the runs so far read, what their outputs gathered for the report, and the
 * analyzer.  It is written beside its name and renamed when it is whole, so that a run may read and
 * write the same one.
 */
#ifndef LASTACK_CHAIN_H
#define LASTACK_CHAIN_H

#include "analyzer.h"
#include "base/carry.h"
#include "options.h"
#include "outputs.h"
#include "source/source.h"

/* All zero: no chain. */
struct chain {
    struct source_place place;    /* what the earlier runs read */
    struct input_summary *inputs; /* theirs; owned, and what they point to */
    uint32_t input_count;
    bool drops_known;
    uint64_t drops[3]; /* theirs: received, by the kernel, by the interface */
    /* private: */
    FILE *in, *out;
    struct carry *carry; /* reads the one */
    char *written_as;    /* the other's name until it is whole; owned; NULL: its own */
};

/*
 * Opens the states that options name: reads of the one what the source needs, makes the other.  On
 * failure returns UNREADABLE or WRITE (or NOT_FOUND, DENIED, NO_MEMORY) with a message
 * (MESSAGE_SIZE octets); chain_clear() is due in any case.
 */
enum status chain_open(struct chain *chain, const struct options *options, char *message);

/* Fills the analyzer and the outputs, neither of which has taken a packet, with the rest of it. */
enum status chain_resume(struct chain *chain, const struct options *options,
                         struct analyzer *analyzer, struct outputs *outputs, char *message);

/* Says so when the first packet of this run is a second older than the last one of those before:
 * nothing is wrong with either then, but they are not in order, and what is deduced is not to be
 * relied on. */
void chain_check_order(const struct chain *chain, nanotime first);

/* Writes the state for the next run, in the place of input_report_finish(). */
enum status chain_hand_on(struct chain *chain, const struct options *options, struct source *source,
                          struct analyzer *analyzer, struct outputs *outputs, char *message);

void chain_clear(struct chain *chain);

#endif
