/* pieces_told: what the censuses of the pieces were told of connections that no other piece
 * decides, in the order of the capture (pieces.h). */
#include <stdlib.h>
#include <string.h>

#include "pieces_parts.h"

/* A connection that is analysed again is told of then. */
static bool is_replayed(const struct piece_result *piece, uint64_t flow_uid)
{
    return piece->replayed_count > 0 && bsearch(&flow_uid, piece->replayed, piece->replayed_count,
                                                sizeof(flow_uid), compare_uids) != NULL;
}

static enum status refuse(const struct pieces *pieces, char *message)
{
    snprintf(message, MESSAGE_SIZE,
             "%.200s: has deltas that this build of lastack does not write; write it again with it",
             pieces->piece[pieces->telling.piece].name);
    return STATUS_UNREADABLE;
}

static void end_file(struct telling *telling)
{
    lines_close(&telling->lines);
    telling->is_open = false;
    telling->piece++;
}

/* Goes on to the next record of deltas, of this piece or a later one; none left: is_over. */
static enum status next_record(struct pieces *pieces, char *message)
{
    struct telling *telling = &pieces->telling;
    struct json_object *record = NULL;
    while (telling->piece < pieces->count) {
        enum status status = STATUS_OK;
        if (!telling->is_open)
            status = lines_open(&telling->lines, pieces->piece[telling->piece].name, message);
        telling->is_open = true;
        if (status == STATUS_OK)
            status = lines_next_of(&telling->lines, "lastack.deltas", &record, message);
        if (status != STATUS_OK)
            return status;
        if (record != NULL)
            break;
        end_file(telling);
    }
    if (record == NULL)
        return STATUS_OK;
    const char *text = json_text(json_below(record, "lastack", "deltas", NULL));
    free(telling->octets);
    telling->at = telling->count = 0;
    telling->octets = pieces_decode(text == NULL ? "" : text, &telling->count);
    json_object_put(record);
    if (telling->octets == NULL)
        return STATUS_NO_MEMORY;
    return telling->count > 0 ? STATUS_OK : refuse(pieces, message);
}

/* As it is in the whole: packets count on, and the clock never goes back. */
static void count_on(const struct piece_result *piece, struct delta *delta)
{
    delta->packet += delta->packet > 0 ? piece->packets_before : 0;
    delta->t = time_later_of(delta->t, piece->clock_before);
}

enum status pieces_next_told(struct pieces *pieces, struct told *ret_told, bool *ret_any,
                             char *message)
{
    struct telling *telling = &pieces->telling;
    for (;;) {
        enum status status = STATUS_OK;
        if (telling->at == telling->count)
            status = next_record(pieces, message);
        *ret_any = telling->piece < pieces->count;
        if (status != STATUS_OK || !*ret_any)
            return status;
        const struct piece_result *piece = &pieces->piece[telling->piece];
        size_t taken =
            told_unpack(telling->octets + telling->at, telling->count - telling->at, ret_told);
        if (taken == 0)
            return refuse(pieces, message);
        telling->at += taken;
        uint64_t uid = ret_told->is_flow ? ret_told->flow.flow_uid : ret_told->delta.flow_uid;
        if (is_replayed(piece, uid))
            continue;
        count_on(piece, &ret_told->delta);
        return STATUS_OK;
    }
}

void telling_clear(struct telling *telling)
{
    if (telling->is_open)
        lines_close(&telling->lines);
    free(telling->octets);
}
