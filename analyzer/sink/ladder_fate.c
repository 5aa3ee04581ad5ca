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

bool ladder_fate_poles(const struct ladder *ladder, const char *ret_names[2])
{
    for (size_t i = 0; ladder->taps != NULL && i < ladder->segment_count; i++) {
        const struct ladder_segment *segment = &ladder->segments[i];
        if (segment->fate == PATH_FATES)
            continue;
        ret_names[segment->from] = name_of(ladder, segment->tap[0]);
        ret_names[1 - segment->from] = name_of(ladder, segment->tap[1]);
        return true;
    }
    return false;
}

void ladder_fate_packets(const struct ladder_segment *segment, uint64_t ret_packets[2])
{
    bool own_left = segment->fate == PATH_FATES || ladder_tap(segment->packet) == segment->tap[0];
    int own = own_left ? segment->from : 1 - segment->from;
    ret_packets[own] = ladder_packet(segment->packet);
    ret_packets[1 - own] = ladder_packet(segment->beyond);
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
        line_add(line, "arrived; the capture at %.40s missed it",
                 ladder_tap(segment->packet) == segment->tap[0] ? came : left);
        return;
    case FATE_DUPLICATED:
        line_add(line, "a copy");
        return;
    case FATE_UNKNOWN:
        line_add(line, "not covered by the capture at %.40s",
                 ladder_tap(segment->packet) == segment->tap[0] ? came : left);
        return;
    case PATH_FATES:
        return;
    }
}
