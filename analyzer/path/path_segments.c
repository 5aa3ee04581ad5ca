/* path_segments: segment records wait until the pairs of taps have decided (path_parts.h). */
#include "followed.h"
#include "path_parts.h"

static void pass_segment(struct path *path, const struct segment_record *segment)
{
    path_note(path, path->next->ops->segment(path->next, segment));
}

/* One passage from each tap to the next, where the order of taps is known. */
static void arrange(const struct path *path, struct segment_record *record)
{
    const struct journey *journey = journeys_find(&path->journeys, record->who.flow_uid);
    struct path_way way;
    if (path->table.taps == TAPS || journey == NULL)
        return;
    const struct way_view view = {&path->table, path->pair, journey};
    order_list(&view, record->from, &way);
    followed_arrange(&way, record);
}

static void let_go(struct path *path, uint32_t index)
{
    arrange(path, waiting_at(&path->waiting, index));
    pass_segment(path, waiting_at(&path->waiting, index));
    waiting_drop(&path->waiting, index);
}

void path_release_segments(struct path *path, nanotime until)
{
    nanotime wait = path->config->tap_wait + NANO_PER_SECOND;
    while (path->waiting.oldest != 0) {
        const struct segment_record *oldest = waiting_at(&path->waiting, path->waiting.oldest);
        if (until != INT64_MAX && time_since(until, oldest->t) < wait)
            return;
        let_go(path, path->waiting.oldest);
    }
}

/* Whether the first tap shows the segment as well, or will: it stands before on the way. */
static bool is_of_first_tap(const struct path *path, const struct path_occasion *occasion)
{
    const struct way_view view = {&path->table, path->pair, occasion->journey};
    const struct crossing *crossing = occasion->crossing;
    int side = journey_side(occasion->journey, crossing->end);
    uint32_t tap = occasion->tap[crossing->at[0].packet != 0 ? 0 : 1];
    return crossing->fate == FATE_ARRIVED || order_of(&view, side, 0, tap) == ORDER_BEFORE;
}

/* What no record of the engine stands for. */
static void follow_far(struct path *path, const struct path_occasion *occasion)
{
    followed_far(occasion, &path->segment);
    pass_segment(path, &path->segment);
}

/* Of a piece that arrived it is not known yet whether the others did. */
void path_follow(struct path *path, const struct path_occasion *occasion, bool told)
{
    const struct crossing *crossing = occasion->crossing;
    const struct sighting *seen = &crossing->at[0];
    if (path->ops.segment == NULL)
        return;
    bool with_first = pair_table_has_first(&path->table, occasion->pair);
    if (!with_first || seen->packet == 0) {
        if (told && (with_first || !is_of_first_tap(path, occasion)))
            follow_far(path, occasion);
        return;
    }
    uint32_t index = waiting_find(&path->waiting, seen->packet, seen->sequence);
    if (index == 0)
        return;
    struct segment_record *record = waiting_at(&path->waiting, index);
    followed_note(occasion, record);
    bool open = crossing->piece && crossing->fate == FATE_ARRIVED;
    if (!open && record->path_count + 1 == path->table.taps)
        let_go(path, index);
}

enum status path_keep_segment(struct path *path, const struct segment_record *segment)
{
    if (path->waiting.pool.taken >= path->room.segments)
        let_go(path, path->waiting.oldest);
    return waiting_add(&path->waiting, segment) ? STATUS_OK : STATUS_NO_MEMORY;
}
