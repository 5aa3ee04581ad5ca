/* endings: see endings.h. */
#include "endings.h"

const struct ending endings[CLOSE_KINDS] = {
    {CLOSE_ORDERLY, "closed in order"},
    {CLOSE_SIMULTANEOUS, "closed by both sides at once"},
    {CLOSE_HALF_CLOSED, "closed by one side only"},
    {CLOSE_RESET, "reset"},
    {CLOSE_REFUSED, "refused"},
    {CLOSE_UNANSWERED, "never answered"},
    {CLOSE_SUPERSEDED, "replaced by a new connection on the same addresses and ports"},
    {CLOSE_TIMED_OUT, "fell silent"},
    {CLOSE_OPEN, "still open when the capture ended"},
};
