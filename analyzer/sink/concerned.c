/*
 * concerned: a sink that remembers flow_uids, for a second run over the same packets.
 *
 * The set is an open-addressed table, at most half full.  flow_uids are keyed hashes already, so
 * their low bits serve as the index.  uid 0 stands for "none" in records and marks a free place.
 */
#include <stdlib.h>

#include "selection.h"

enum { KEPT_UIDS = 4000000, FIRST_ROOM = 256 };

struct concerned {
    struct sink sink;
    struct sink_options options;
    uint64_t *uids;
    uint32_t room; /* a power of 2 */
    uint32_t count, limit;
    uint64_t left_out;
};

/* Where the uid stands, or the free place for it. */
static uint64_t *find_place(const struct concerned *concerned, uint64_t uid)
{
    uint32_t index = (uint32_t)uid & (concerned->room - 1);
    while (concerned->uids[index] != 0 && concerned->uids[index] != uid)
        index = (index + 1) & (concerned->room - 1);
    return &concerned->uids[index];
}

static enum status double_room(struct concerned *concerned)
{
    struct concerned larger = {.room = 2 * concerned->room};
    larger.uids = calloc(larger.room, sizeof(*larger.uids));
    if (!larger.uids)
        return STATUS_NO_MEMORY;
    for (uint32_t index = 0; index < concerned->room; index++) {
        if (concerned->uids[index] != 0)
            *find_place(&larger, concerned->uids[index]) = concerned->uids[index];
    }
    free(concerned->uids);
    concerned->uids = larger.uids;
    concerned->room = larger.room;
    return STATUS_OK;
}

static enum status remember(struct concerned *concerned, uint64_t uid)
{
    if (uid == 0 || *find_place(concerned, uid) == uid)
        return STATUS_OK;
    if (concerned->count == concerned->limit) {
        concerned->left_out++;
        return STATUS_OK;
    }
    if (2 * (concerned->count + 1) > concerned->room && double_room(concerned) != STATUS_OK)
        return STATUS_NO_MEMORY;
    *find_place(concerned, uid) = uid;
    concerned->count++;
    return STATUS_OK;
}

static bool leads_to_the_one_before(const struct event_record *event)
{
    for (uint32_t evidence = 0; evidence < event->evidence_count; evidence++) {
        if (event->evidence[evidence].incarnation < event->who.incarnation)
            return true;
    }
    return false;
}

static enum status concerned_event(struct sink *sink, const struct event_record *event)
{
    struct concerned *concerned = (struct concerned *)sink;
    if (!selection_wants_event(&concerned->options, LEVEL_INFO, event))
        return STATUS_OK;
    enum status status = remember(concerned, event->who.flow_uid);
    if (status == STATUS_OK && leads_to_the_one_before(event))
        status = remember(concerned, event->who.previous);
    return status;
}

static void concerned_free(struct sink *sink)
{
    struct concerned *concerned = (struct concerned *)sink;
    if (!concerned)
        return;
    free(concerned->uids);
    free(concerned);
}

static const struct sink_ops concerned_ops = {.event = concerned_event, .free = concerned_free};

bool sink_concerned_has(const struct sink *sink, uint64_t flow_uid)
{
    const struct concerned *concerned = (const struct concerned *)sink;
    return flow_uid != 0 && *find_place(concerned, flow_uid) == flow_uid;
}

uint64_t sink_concerned_left_out(const struct sink *sink)
{
    return ((const struct concerned *)sink)->left_out;
}

enum status sink_concerned_new(const struct sink_options *options, struct sink **ret_sink)
{
    struct concerned *concerned = calloc(1, sizeof(*concerned));
    uint64_t *uids = calloc(FIRST_ROOM, sizeof(*uids));
    if (!concerned || !uids) {
        free(concerned);
        free(uids);
        return STATUS_NO_MEMORY;
    }
    *concerned = (struct concerned){
        .sink = {&concerned_ops},
        .options = *options,
        .uids = uids,
        .room = FIRST_ROOM,
        .limit = options->kept_flows ? options->kept_flows : KEPT_UIDS,
    };
    *ret_sink = &concerned->sink;
    return STATUS_OK;
}
