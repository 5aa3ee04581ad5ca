/* followed: see followed.h. */
#include "followed.h"

#include <string.h>

static struct passage_sight sight_of(const struct path_occasion *occasion, int tap)
{
    const struct sighting *seen = &occasion->crossing->at[tap];
    bool is_seen = seen->packet != 0;
    return (struct passage_sight){
        .tap = (int)occasion->tap[tap],
        .packet = seen->packet,
        .t = is_seen ? seen->t : NANOTIME_UNKNOWN,
        .at = is_seen ? occasion->t[tap] : NANOTIME_UNKNOWN,
    };
}

/* The tap at the sender's side: what was made on the way came to the one that shows it, and what
 * goes nobody knows which way left the one that does. */
static int left_tap(const struct crossing *crossing)
{
    int shown = crossing->at[0].packet != 0 ? 0 : 1;
    switch (crossing->direction) {
    case TOWARDS_SECOND:
        return 0;
    case TOWARDS_FIRST:
        return 1;
    case TOWARDS_UNKNOWN:
        break;
    }
    return crossing->fate == FATE_INJECTED ? 1 - shown : shown;
}

static struct passage passage_of(const struct path_occasion *occasion)
{
    const struct crossing *crossing = occasion->crossing;
    int left = left_tap(crossing);
    return (struct passage){
        .left = sight_of(occasion, left),
        .came = sight_of(occasion, 1 - left),
        .fate = crossing->fate,
        .confidence = crossing->confidence,
        .delay = crossing->delay,
        .held = crossing->held,
        .reordered = crossing->reordered,
        .changed = crossing->changed,
    };
}

static bool is_of_tap(const struct passage *passage, uint32_t tap)
{
    return passage->left.tap == (int)tap || passage->came.tap == (int)tap;
}

void followed_note(const struct path_occasion *occasion, struct segment_record *record)
{
    uint32_t i = 0;
    while (i < record->path_count && !is_of_tap(&record->path[i], occasion->tap[1]))
        i++;
    if (i == RECORD_PASSAGES || (i < record->path_count && record->path[i].fate != FATE_ARRIVED))
        return;
    record->path[i] = passage_of(occasion);
    record->path_count += i == record->path_count;
}

void followed_far(const struct path_occasion *occasion, struct segment_record *ret_record)
{
    const struct crossing *crossing = occasion->crossing;
    const struct journey *journey = occasion->journey;
    const struct sighting *seen = &crossing->at[1];
    int from = journey_side(journey, crossing->end);
    uint32_t shift = crossing->shift[crossing->end];
    uint32_t ack_shift = crossing->shift[1 - crossing->end];
    memset(ret_record, 0, sizeof(*ret_record));
    ret_record->who = journey->who;
    ret_record->packet = seen->packet;
    ret_record->tap = (int)occasion->tap[1];
    ret_record->t = occasion->t[1];
    ret_record->from = from;
    ret_record->flags = seen->flags;
    ret_record->relative_known = journey->iss_known[from];
    ret_record->ack_relative_known = journey->iss_known[1 - from];
    ret_record->seq = seen->sequence - shift - journey->iss[from];
    ret_record->ack = seen->acknowledgment - ack_shift - journey->iss[1 - from];
    ret_record->seq_abs = seen->sequence;
    ret_record->ack_abs = seen->acknowledgment;
    ret_record->payload = seen->payload;
    ret_record->window = crossing->window; /* its scale is the first tap's to know */
    ret_record->timestamps = crossing->stamped;
    ret_record->tsval = crossing->tsval;
    ret_record->tsecr = crossing->tsecr;
    ret_record->verdict = VERDICT_ELSEWHERE;
    for (int side = 0; side < SIDE_COUNT; side++)
        ret_record->after[side] = STATE_UNKNOWN;
    ret_record->path[ret_record->path_count++] = passage_of(occasion);
}
