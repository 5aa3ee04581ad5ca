/* ladder_fate: see ladder_fate.h. */
#include "ladder_fate.h"

/* A segment that was on its way for so much longer than it had to was held; its sender has repeated
 * it by then. */
static const nanotime shown_held = 250 * (nanotime)NANO_PER_MILLI;

static const char *name_of(const struct ladder *ladder, int tap)
{
    bool named = ladder->taps != NULL && (uint32_t)tap < ladder->taps->count;
    return named ? ladder->taps->names[tap] : "?";
}

/* Whether the passages lead from tap to tap; else each begins or ends at the first. */
static bool is_chain(const struct segment_record *segment)
{
    for (uint32_t i = 1; i < segment->path_count; i++) {
        if (segment->path[i - 1].came.tap != segment->path[i].left.tap)
            return false;
    }
    return true;
}

/* The passage that says most: the first on a chain where it did not just arrive, or the last; where
 * each has the first tap, which is 0, that to the last one that is named. */
static const struct passage *telling_passage(const struct segment_record *segment, bool chain)
{
    const struct passage *telling = &segment->path[0];
    for (uint32_t i = 1; i < segment->path_count; i++) {
        const struct passage *passage = &segment->path[i];
        int far = passage->left.tap + passage->came.tap;
        bool later = chain || far > telling->left.tap + telling->came.tap;
        if (later && (!chain || telling->fate == FATE_ARRIVED))
            telling = passage;
    }
    return telling;
}

static uint64_t place_of(const struct passage_sight *sight)
{
    return ladder_place(sight->tap, sight->packet);
}

void ladder_fate_keep(struct ladder_segment *kept, const struct segment_record *segment)
{
    kept->fate = PATH_FATES;
    kept->delay = kept->held = NANOTIME_UNKNOWN;
    if (segment->path_count == 0)
        return;
    bool chain = is_chain(segment);
    const struct passage *telling = telling_passage(segment, chain);
    const struct passage *first = chain ? &segment->path[0] : telling;
    const struct passage *last = chain ? &segment->path[segment->path_count - 1] : telling;
    kept->pole[0] = (uint8_t)first->left.tap;
    kept->pole[1] = (uint8_t)last->came.tap;
    kept->hops = chain ? (uint8_t)segment->path_count : 1;
    kept->at[0] = place_of(&first->left);
    kept->at[1] = place_of(&last->came);
    kept->left_seen = telling->left.packet != 0;
    kept->fated = place_of(kept->left_seen ? &telling->left : &telling->came);
    kept->delay = telling->delay;
    kept->held = telling->held;
    kept->fate = (uint8_t)telling->fate;
    kept->confidence = (uint8_t)telling->confidence;
    kept->tap[0] = (uint8_t)telling->left.tap;
    kept->tap[1] = (uint8_t)telling->came.tap;
}

int ladder_fate_places(const struct ladder_segment *segment, uint64_t ret_places[LADDER_PLACES])
{
    const uint64_t all[LADDER_PLACES] = {segment->packet, segment->fated, segment->at[0],
                                         segment->at[1]};
    int count = 0;
    for (int i = 0; i < LADDER_PLACES; i++) {
        bool again = all[i] == 0;
        for (int k = 0; k < count; k++)
            again |= ret_places[k] == all[i];
        if (!again)
            ret_places[count++] = all[i];
    }
    return count;
}

bool ladder_fate_poles(const struct ladder *ladder, const char *ret_names[2])
{
    const struct ladder_segment *longest = NULL;
    for (size_t i = 0; ladder->taps != NULL && i < ladder->segment_count; i++) {
        const struct ladder_segment *segment = &ladder->segments[i];
        if (segment->fate != PATH_FATES && (longest == NULL || segment->hops > longest->hops))
            longest = segment;
    }
    if (longest == NULL)
        return false;
    ret_names[longest->from] = name_of(ladder, longest->pole[0]);
    ret_names[1 - longest->from] = name_of(ladder, longest->pole[1]);
    return true;
}

void ladder_fate_packets(const struct ladder_segment *segment, uint64_t ret_packets[2])
{
    bool one_tap = segment->fate == PATH_FATES;
    ret_packets[segment->from] = ladder_packet(one_tap ? segment->packet : segment->at[0]);
    ret_packets[1 - segment->from] = one_tap ? 0 : ladder_packet(segment->at[1]);
}

bool ladder_fate_is_held(const struct ladder_segment *segment)
{
    return segment->fate == FATE_ARRIVED && segment->held != NANOTIME_UNKNOWN &&
           segment->held >= shown_held;
}

static void say_held(const struct ladder_segment *segment, struct line *line)
{
    if (!ladder_fate_is_held(segment))
        return;
    line_add(line, "held on the way, ");
    line_add_duration(line, segment->delay);
    line_add(line, " from tap to tap");
}

void ladder_fate_say(const struct ladder *ladder, const struct ladder_segment *segment,
                     struct line *line)
{
    const char *left = name_of(ladder, segment->tap[0]), *came = name_of(ladder, segment->tap[1]);
    bool certain = segment->confidence == CONFIDENCE_CERTAIN;
    const char *doubt = certain ? "" : confidence_name((enum confidence)segment->confidence);
    switch ((enum path_fate)segment->fate) {
    case FATE_ARRIVED:
        say_held(segment, line);
        return;
    case FATE_LOST:
        line_add(line, "lost between %.40s and %.40s%s%s", left, came, certain ? "" : ", ", doubt);
        return;
    case FATE_INJECTED:
        line_add(line, "made between %.40s and %.40s%s%s", left, came, certain ? "" : ", ", doubt);
        return;
    case FATE_MISSED:
        line_add(line, "arrived; the capture at %.40s missed it", segment->left_seen ? came : left);
        return;
    case FATE_DUPLICATED:
        line_add(line, "a copy");
        return;
    case FATE_UNKNOWN:
        line_add(line, "not covered by the capture at %.40s", segment->left_seen ? came : left);
        return;
    case PATH_FATES:
        return;
    }
}
