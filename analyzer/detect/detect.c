/* detect: see detect.h. */
#include "detect.h"

#include <string.h>

#include "detectors.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

static const struct detector detectors[] = {
#define DETECTOR(name, kind, features, hook) {#name, kind, features, hook},
#include "detectors.def"
#undef DETECTOR
};

enum watch_id {
#define WATCH(name, needs, due, hook) WATCH_##name,
#include "watches.def"
#undef WATCH
    WATCHES
};

_Static_assert(WATCHES <= 32, "incarnation.watched has a bit for each");

static const struct watch watches[WATCHES + 1] = {
#define WATCH(name, needs, due, hook) {#name, needs, due, hook},
#include "watches.def"
#undef WATCH
};

#define DETECTOR(name, kind, features, hook)                                                       \
    _Static_assert((kind) != OCCASION_END || (features) != FEATURE_ANY,                            \
                   "decide_end() shows no other");
#include "detectors.def"
#undef DETECTOR

_Static_assert(ARRAY_LEN(detectors) <= 64, "a row has a bit in a word");

void detect_index_init(struct detect_index *index)
{
    memset(index, 0, sizeof(*index));
    for (unsigned i = 0; i < ARRAY_LEN(detectors); i++) {
        uint64_t row = UINT64_C(1) << i;
        index->kind[detectors[i].kind] |= row;
        for (unsigned feature = 0; feature < FEATURES; feature++) {
            bool waits = (detectors[i].features >> feature & 1) != 0;
            index->feature[feature] |= waits ? row : 0;
        }
        if (detectors[i].features == FEATURE_ANY)
            index->any |= row;
    }
}

void detect(const struct detect_index *index, struct occasion *occasion)
{
    uint64_t waiting = index->any;
    for (unsigned left = occasion->features; left != 0; left &= left - 1)
        waiting |= index->feature[__builtin_ctz(left)];
    for (uint64_t rows = index->kind[occasion->kind] & waiting; rows != 0; rows &= rows - 1)
        detectors[__builtin_ctzll(rows)].hook(occasion);
}

/* A side that acknowledged the peer's FIN, and did not close since. */
static bool is_left(const struct closing *closing, const struct side *side, int peer)
{
    return side->state == STATE_CLOSE_WAIT && closing != NULL && closing->fin_ack[peer].packet != 0;
}

/* What the incarnation has, of enum watch_need. */
static unsigned needs_met(const struct incarnation *incarnation)
{
    const struct closing *closing = incarnation->connection.closing;
    const struct side *side = incarnation->connection.side;
    bool reset = closing != NULL && (closing->rst[0].packet | closing->rst[1].packet) != 0;
    bool story = incarnation->story != NULL;
    bool left = is_left(closing, &side[0], 1) || is_left(closing, &side[1], 0);
    bool crossed = side[0].state == STATE_CLOSING || side[1].state == STATE_CLOSING;
    return (story ? NEEDS_STORY : 0) | (reset ? NEEDS_RESET : 0) | (left ? NEEDS_CLOSE_WAIT : 0) |
           (story || crossed ? NEEDS_WAITING : 0);
}

#define WATCH(name, needs, due, hook) _Static_assert((needs) != 0, "detect_due() asks no other");
#include "watches.def"
#undef WATCH

nanotime detect_due(const struct incarnation *incarnation, const struct config *config)
{
    nanotime earliest = NANOTIME_UNKNOWN;
    int asked = -1;
    unsigned met = needs_met(incarnation);
    if (met == 0)
        return NANOTIME_UNKNOWN;
    for (int i = 0; i < (int)WATCHES; i++) {
        bool again =
            asked >= 0 && watches[asked].due == watches[i].due; /* rows in a row share it */
        if ((watches[i].needs & ~met) != 0 || (incarnation->watched >> i & 1) != 0 || again)
            continue;
        asked = i;
        nanotime due = watches[i].due(incarnation, config);
        if (due == NANOTIME_UNKNOWN)
            continue;
        earliest = earliest == NANOTIME_UNKNOWN ? due : time_earlier_of(earliest, due);
    }
    return earliest;
}

uint32_t detect_overdue(struct occasion *occasion)
{
    uint32_t passed = 0;
    const struct incarnation *incarnation = occasion->incarnation;
    for (int i = 0; i < (int)WATCHES; i++) {
        if ((incarnation->watched >> i & 1) != 0)
            continue;
        nanotime due = watches[i].due(incarnation, occasion->config);
        if (due == NANOTIME_UNKNOWN || time_is_before(occasion->now, due))
            continue;
        passed |= UINT32_C(1) << i;
        watches[i].hook(occasion);
    }
    return passed;
}
