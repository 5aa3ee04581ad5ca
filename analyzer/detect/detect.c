/* detect: see detect.h. */
#include "detect.h"

#include "detectors.h"

static const struct detector detectors[] = {
#define DETECTOR(name, kind, features, hook) {#name, kind, features, hook},
#include "detectors.def"
#undef DETECTOR
};

enum watch_id {
#define WATCH(name, due, hook) WATCH_##name,
#include "watches.def"
#undef WATCH
    WATCHES
};

_Static_assert(WATCHES <= 32, "incarnation.watched has a bit for each");

static const struct watch watches[WATCHES + 1] = {
#define WATCH(name, due, hook) {#name, due, hook},
#include "watches.def"
#undef WATCH
};

void detect(struct occasion *occasion)
{
    for (unsigned i = 0; i < sizeof(detectors) / sizeof(detectors[0]); i++) {
        const struct detector *detector = &detectors[i];
        bool waited_for =
            detector->features == FEATURE_ANY || (detector->features & occasion->features) != 0;
        if (detector->kind == occasion->kind && waited_for)
            detector->hook(occasion);
    }
}

nanotime detect_due(const struct incarnation *incarnation, const struct config *config)
{
    nanotime earliest = NANOTIME_UNKNOWN;
    for (int i = 0; i < (int)WATCHES; i++) {
        if ((incarnation->watched >> i & 1) != 0)
            continue;
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
