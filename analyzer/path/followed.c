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
    return path_upstream(crossing->direction, crossing->fate == FATE_INJECTED ? 1 - shown : shown);
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

/* --- from each tap to the next --- */

static const struct passage *passage_with(const struct segment_record *record, uint32_t tap)
{
    for (uint32_t i = 0; i < record->path_count; i++) {
        if (is_of_tap(&record->path[i], tap))
            return &record->path[i];
    }
    return NULL;
}

/* Where tap saw the segment, by what became of it between the first tap and that one. */
static const struct passage_sight *sight_at(const struct passage *passage, uint32_t tap)
{
    return passage->left.tap == (int)tap ? &passage->left : &passage->came;
}

/* What lies between two further taps, of which a and b say what lies between the first and them. */
static bool join(const struct passage *a, const struct passage *b, const uint32_t taps[2],
                 struct passage *ret_passage)
{
    struct passage passage = {.left = *sight_at(a, taps[0]), .came = *sight_at(b, taps[1])};
    bool left = passage.left.packet != 0, came = passage.came.packet != 0;
    const struct passage *telling = came ? a : b; /* that of the tap which did not show it */
    if (!left && !came)
        return false; /* another passage tells why */
    passage.fate = left && came ? FATE_ARRIVED : telling->fate;
    passage.confidence = left && came ? CONFIDENCE_CERTAIN : telling->confidence;
    passage.delay = passage.held = NANOTIME_UNKNOWN;
    if (left && came) {
        passage.delay = time_later_of(time_since(passage.came.at, passage.left.at), 0);
        if (a->held != NANOTIME_UNKNOWN && b->held != NANOTIME_UNKNOWN) {
            nanotime more = time_since(b->held, a->held);
            passage.held = more < 0 ? -more : more;
        }
        passage.reordered = a->reordered != b->reordered;
        passage.changed = a->changed ^ b->changed;
    }
    *ret_passage = passage;
    return true;
}

void followed_arrange(const struct path_way *way, struct segment_record *record)
{
    struct passage path[RECORD_PASSAGES];
    uint32_t count = 0;
    for (uint32_t i = 0; i < way->count; i++) {
        if (way->tap[i] != 0 && passage_with(record, way->tap[i]) == NULL)
            return; /* not known of every tap */
    }
    for (uint32_t i = 1; i < way->count; i++) {
        const uint32_t taps[2] = {way->tap[i - 1], way->tap[i]};
        const struct passage *a = passage_with(record, taps[0]), *b = passage_with(record, taps[1]);
        if (taps[0] == 0 || taps[1] == 0)
            path[count++] = taps[0] == 0 ? *b : *a;
        else
            count += join(a, b, taps, &path[count]);
    }
    if (count == 0)
        return;
    memcpy(record->path, path, count * sizeof(path[0]));
    record->path_count = count;
}

/* --- what no record stands for --- */

void followed_far(const struct path_occasion *occasion, struct segment_record *ret_record)
{
    const struct crossing *crossing = occasion->crossing;
    const struct journey *journey = occasion->journey;
    int tap = crossing->at[0].packet != 0 ? 0 : 1;
    const struct sighting *seen = &crossing->at[tap];
    int from = journey_side(journey, crossing->end);
    uint32_t shift = occasion->base[crossing->end], ack_shift = occasion->base[1 - crossing->end];
    shift += tap == 1 ? crossing->shift[crossing->end] : 0;
    ack_shift += tap == 1 ? crossing->shift[1 - crossing->end] : 0;
    memset(ret_record, 0, sizeof(*ret_record));
    ret_record->who = journey->who;
    ret_record->packet = seen->packet;
    ret_record->tap = (int)occasion->tap[tap];
    ret_record->t = occasion->t[tap];
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
