/* icmp_story: see icmp_story.h. */
#include "icmp_story.h"

#include <stdlib.h>
#include <string.h>

/* RFC 792 and RFC 4443 3.1. */
enum { UNREACHABLE_4 = 3, UNREACHABLE_6 = 1, FRAGMENTATION_NEEDED = 4, LEAST_REACH = 65535 };

/*
 * RFC 5927 4.1 asks for SND.UNA =< SEQ < SND.NXT.  Here the sender's clock is not known: what was
 * acknowledged while the error was on its way still counts, and so does a pure ACK at SND.NXT.  Of
 * a side that was never heard the peer's acknowledgments tell SND.UNA, and SND.NXT lies a window
 * beyond at most.
 */
static bool was_sent(const struct connection *connection, int side, seq sequence)
{
    const struct side *x = &connection->side[side];
    const struct side *y = &connection->side[side_other(side)];
    bool heard = side_has(x, SIDE_HEARD);
    if (!heard && !side_has(y, SIDE_ACKED))
        return false;
    uint32_t reach = y->max_window > LEAST_REACH ? y->max_window : LEAST_REACH;
    uint32_t acked = (uint32_t)(x->snd_una - x->iss);
    uint32_t back = side_has(x, SIDE_ISS_KNOWN) && acked < reach ? acked : reach;
    seq last = heard ? x->snd_nxt : seq_add(x->snd_nxt, reach);
    return seq_within(sequence, x->snd_una - back, last);
}

static bool is_unreachable(const struct icmp_error *error)
{
    if (error->ip_version == 4)
        return error->type == UNREACHABLE_4 && error->code != FRAGMENTATION_NEEDED;
    return error->type == UNREACHABLE_6;
}

static bool is_copy(const struct icmp_report *before, const struct icmp_report *report,
                    nanotime copy_window)
{
    return before->packet != 0 && before->side == report->side &&
           before->sequence == report->sequence &&
           before->error.ip_version == report->error.ip_version &&
           before->error.type == report->error.type && before->error.code == report->error.code &&
           memcmp(before->error.from, report->error.from, sizeof(report->error.from)) == 0 &&
           time_since(report->t, before->t) <= copy_window &&
           time_since(before->t, report->t) <= copy_window;
}

static enum icmp_match remember(struct incarnation *incarnation, const struct icmp_report *report,
                                nanotime copy_window)
{
    if (incarnation->icmp == NULL)
        incarnation->icmp = calloc(1, sizeof(*incarnation->icmp));
    struct icmp_story *story = incarnation->icmp;
    if (story == NULL)
        return ICMP_NO_MEMORY;
    if (is_copy(&story->last, report, copy_window))
        return ICMP_COPY;
    story->errors++;
    story->last = *report;
    if (story->first.packet == 0)
        story->first = *report;
    if (is_unreachable(&report->error))
        story->unreachable[report->side] = *report;
    return ICMP_MATCHED;
}

enum icmp_match icmp_story_take(const struct tuple *tuple, const struct segment *quoted, int end,
                                const struct icmp_error *error, nanotime copy_window)
{
    struct incarnation *const lives[] = {tuple->candidate, tuple->current, tuple->retiring};
    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
        if (lives[i] == NULL)
            continue;
        int side = incarnation_side(lives[i], end);
        if (!was_sent(&lives[i]->connection, side, quoted->sequence))
            continue;
        struct icmp_report report = {
            .packet = quoted->packet,
            .t = quoted->time,
            .error = *error,
            .sequence = quoted->sequence,
            .side = (uint8_t)side,
        };
        return remember(lives[i], &report, copy_window);
    }
    return ICMP_UNMATCHED;
}
