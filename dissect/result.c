/*
 * result: the names of the ways a frame can end, from result.def.
 */
#include "dissect.h"

struct result_row {
    const char *name;
    const char *reason;
};

static const struct result_row results[DISSECT_RESULTS] = {
#define RESULT(id, name, reason) [DISSECT_##id] = {name, reason},
#include "result.def"
#undef RESULT
};

const char *dissect_result_name(enum dissect_result result)
{
    return results[result].name;
}

const char *dissect_result_reason(enum dissect_result result)
{
    return results[result].reason;
}
