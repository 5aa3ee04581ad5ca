/* crossings: see crossings.h. */
#include "crossings.h"

#include <stdlib.h>
#include <string.h>

struct crossing *crossings_add(struct pair *pair, const struct lone *lone, enum path_fate fate)
{
    struct crossing_queue *queue = &pair->queue;
    if (queue->count == queue->capacity) {
        uint32_t capacity = queue->capacity == 0 ? 64 : 2 * queue->capacity;
        struct crossing *crossing = realloc(queue->crossing, capacity * sizeof(*crossing));
        if (crossing == NULL) {
            pair->status = STATUS_NO_MEMORY;
            return NULL;
        }
        queue->crossing = crossing;
        queue->capacity = capacity;
    }
    struct crossing *crossing = &queue->crossing[queue->count++];
    const struct joint *joint = pair_joint(pair, lone->joint);
    memset(crossing, 0, sizeof(*crossing));
    crossing->fate = fate;
    crossing->confidence = CONFIDENCE_CERTAIN;
    crossing->end = (uint8_t)joint_first_end(joint, lone->end);
    crossing->key = joint->known[0] ? joint->key[0] : joint->key[1];
    crossing->joint = lone->joint;
    for (int end = 0; end < ENDS; end++)
        crossing->shift[joint_first_end(joint, end)] = joint->shift[end];
    crossing->delay = crossing->held = NANOTIME_UNKNOWN;
    crossing->at[lone->tap] = lone->seen;
    crossing->piece = (lone->flags & LONE_SPLIT) != 0;
    crossing->window = lone->print.window;
    crossing->stamped = lone->print.stamped;
    crossing->tsval = lone->print.tsval;
    crossing->tsecr = lone->print.tsecr;
    return crossing;
}
