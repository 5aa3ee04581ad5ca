/* crossings: see crossings.h. */
#include "crossings.h"

#include <stdlib.h>
#include <string.h>

/* Room for one more, which is not cleared. */
static struct crossing *append(struct crossing_queue *queue)
{
    if (queue->count == queue->capacity) {
        uint32_t capacity = queue->capacity == 0 ? 64 : 2 * queue->capacity;
        struct crossing *crossing = realloc(queue->crossing, capacity * sizeof(*crossing));
        if (crossing == NULL)
            return NULL;
        queue->crossing = crossing;
        queue->capacity = capacity;
    }
    return &queue->crossing[queue->count++];
}

struct crossing *crossings_copy(struct crossing_queue *queue, const struct crossing *crossing)
{
    struct crossing *copy = append(queue);
    if (copy != NULL)
        *copy = *crossing;
    return copy;
}

void crossings_compact(struct crossing_queue *queue)
{
    if (queue->head == 0 || queue->head < queue->count - queue->head)
        return;
    queue->count -= queue->head;
    memmove(queue->crossing, queue->crossing + queue->head,
            queue->count * sizeof(*queue->crossing));
    queue->head = 0;
}

struct crossing *crossings_add(struct pair *pair, const struct lone *lone, enum path_fate fate)
{
    struct crossing *crossing = append(&pair->queue);
    if (crossing == NULL) {
        pair->status = STATUS_NO_MEMORY;
        return NULL;
    }
    struct joint *joint = pair_joint(pair, lone->joint);
    joint->untold++;
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
    crossing->ambiguous = lone->ambiguous;
    crossing->piece = (lone->flags & LONE_SPLIT) != 0;
    crossing->window = lone->print.window;
    crossing->stamped = lone->print.stamped;
    crossing->tsval = lone->print.tsval;
    crossing->tsecr = lone->print.tsecr;
    return crossing;
}
