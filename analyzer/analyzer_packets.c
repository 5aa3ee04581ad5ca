/*
 * analyzer_packets: what becomes of each packet; see analyzer.h.  analyzer_packets() is the data
 * flow, read as a table of contents.
 */
#include "analyzer.h"
#include "analyzer_parts.h"

static void count_link_type(struct analyzer *analyzer, int link_type, uint64_t packets)
{
    for (uint32_t i = 0; i < analyzer->links; i++) {
        if (analyzer->link[i].link_type == link_type) {
            analyzer->link[i].packets += packets;
            return;
        }
    }
    if (analyzer->links < LINK_TYPES)
        analyzer->link[analyzer->links++] = (struct link_count){link_type, packets};
}

/* Mixed: not all of them are of one type. */
static void count_link_types(struct analyzer *analyzer, const struct analyzer_packet *packets,
                             size_t count, bool mixed)
{
    size_t first = 0;
    for (size_t i = mixed ? 1 : count; i <= count; i++) {
        if (i < count && packets[i].link_type == packets[first].link_type)
            continue;
        count_link_type(analyzer, packets[first].link_type, i - first);
        first = i;
    }
}

static void count_packets(struct analyzer *analyzer, const struct analyzer_packet *packets,
                          size_t count)
{
    if (analyzer->first == NANOTIME_UNKNOWN) {
        analyzer->first = analyzer->last = packets->time;
        analyzer_begin_tapes(analyzer, packets->time);
    }
    uint64_t bytes = 0, truncated = 0, regressions = 0; /* in registers: memory may be aliased */
    nanotime first = analyzer->first, last = analyzer->last;
    int others = 0;
    for (const struct analyzer_packet *packet = packets; packet < packets + count; packet++) {
        bytes += packet->length;
        truncated += packet->captured < packet->length;
        regressions += time_is_before(packet->time, last);
        first = time_earlier_of(first, packet->time);
        last = time_later_of(last, packet->time);
        others |= packet->link_type ^ packets->link_type;
    }
    analyzer->bytes += bytes;
    analyzer->truncated += truncated;
    analyzer->regressions += regressions;
    analyzer->first = first;
    analyzer->last = last;
    analyzer->packets += count;
    count_link_types(analyzer, packets, count, others != 0);
}

/* The place where the next segment is put. */
static inline struct engine_item *next_item(struct analyzer *analyzer)
{
    return analyzer->shards != NULL ? shards_next(analyzer->shards)
                                    : &analyzer->batch[analyzer->batched];
}

/* VLANs and tunnels, where they are part of a connection's identity. */
static inline uint32_t context_of(const struct analyzer *analyzer, struct engine_item *item)
{
    const struct config *config = &analyzer->engine.config;
    if (config->vlan_key == 0 && config->tunnel_key == 0)
        return 0;
    item->context =
        flow_key_context(&item->segment, config->vlan_key != 0, config->tunnel_key != 0);
    return item->context;
}

/* part: which item of its packet it is. */
static inline enum status take_item(struct analyzer *analyzer, struct engine_item *item,
                                    uint32_t part)
{
    if (analyzer->path != NULL && item->kind == ITEM_SEGMENT)
        path_take(analyzer->path, 0, &item->segment);
    const uint32_t context = context_of(analyzer, item);
    item->losses = (uint16_t)analyzer->losses.count;
    item->part = part;
    if (analyzer->shards != NULL)
        return shards_take(analyzer->shards, context);
    engine_identify(analyzer->engine.table.secret, context, item);
    analyzer->clock = time_later_of(analyzer->clock, item->segment.time);
    item->clock = analyzer->clock;
    if (++analyzer->batched < ENGINE_BATCH)
        return STATUS_OK;
    analyzer_process_batch(analyzer);
    return analyzer_take_status(analyzer);
}

/* A fragment becomes what it completes; DISSECT_FRAGMENT while others are missing. */
static enum dissect_result take_fragment(struct analyzer *analyzer, nanotime time,
                                         struct frame *whole, struct segment *ret_segment)
{
    if (analyzer->fragments == NULL)
        analyzer->fragments = fragments_new(&analyzer->engine.config);
    if (analyzer->fragments == NULL)
        return DISSECT_FRAGMENT_INCOMPLETE;
    return fragments_join(analyzer->fragments, time, whole, ret_segment);
}

/* What is no segment may become one, or quote one; true: there is something to analyse. */
static bool take_other(struct analyzer *analyzer, nanotime time, enum dissect_result result,
                       struct frame whole, struct engine_item *item)
{
    if (result == DISSECT_FRAGMENT)
        result = take_fragment(analyzer, time, &whole, &item->segment);
    if (result == DISSECT_FRAGMENT)
        return false; /* counted there */
    analyzer->results[result]++;
    if (result == DISSECT_ICMP_ERROR) {
        item->kind = ITEM_ICMP;
        dissect_icmp_error(&whole, &item->segment, &item->icmp);
    }
    return result == DISSECT_SEGMENT || result == DISSECT_ICMP_ERROR;
}

/* The item is a segment, or an error that quotes one. */
static inline enum status take_segment(struct analyzer *analyzer,
                                       const struct analyzer_packet *packet,
                                       struct engine_item *item, uint32_t part)
{
    if (item->kind == ITEM_SEGMENT)
        analyzer->bad_checksums += item->segment.checksum_verdict == CHECKSUM_BAD;
    item->segment.time = packet->time;
    item->segment.packet = analyzer->number;
    if (packet->seen_on > 0 && item->segment.around.seen_on == 0)
        item->segment.around.seen_on =
            (uint8_t)(SEEN_ON_CALLERS + packet->seen_on % (SEEN_ON_MOST + 1 - SEEN_ON_CALLERS));
    return take_item(analyzer, item, part);
}

/* One packet of a frame that dissect() said this of. */
static enum status take_result(struct analyzer *analyzer, const struct analyzer_packet *packet,
                               const struct frame *frame, enum dissect_result result,
                               struct engine_item *item)
{
    item->kind = ITEM_SEGMENT;
    analyzer->further = item->segment.further;
    if (result == DISSECT_SEGMENT)
        analyzer->results[result]++;
    else if (!take_other(analyzer, packet->time, result, *frame, item))
        return result == DISSECT_FRAGMENT && analyzer->fragments == NULL ? STATUS_NO_MEMORY
                                                                         : STATUS_OK;
    return take_segment(analyzer, packet, item, analyzer->items++);
}

enum status analyzer_take_lost(struct analyzer *analyzer, nanotime time)
{
    enum status status = STATUS_OK;
    struct segment lost;
    while (analyzer->fragments != NULL && fragments_lost(analyzer->fragments, &lost)) {
        struct engine_item *item = next_item(analyzer);
        item->segment = lost;
        item->segment.time = time;
        item->segment.packet = analyzer->number;
        item->kind = ITEM_LOST;
        enum status next = take_item(analyzer, item, analyzer->items++);
        status = status == STATUS_OK ? next : status;
    }
    return status;
}

void analyzer_note_loss(struct analyzer *analyzer, uint64_t lost, nanotime from, nanotime until)
{
    analyzer->lost += lost;
    moments_add(&analyzer->losses, from, until);
}

/* Of a further tap's fragments nobody asks for those that stay alone: they go.  False when memory
 * ran out. */
static bool drop_lost(struct fragments *fragments)
{
    struct segment lost;
    while (fragments_lost(fragments, &lost))
        continue;
    return !fragments_starved(fragments);
}

/* A packet of a further tap: its segments, and no more, are of interest. */
static enum status take_far(struct analyzer *analyzer, const struct analyzer_packet *packet)
{
    struct frame frame = {packet->data, packet->captured, packet->length, packet->link_type, 0};
    struct fragments **fragments = &analyzer->far_fragments[packet->tap];
    struct segment segment;
    bool further = true;
    for (; further; frame.part++) {
        struct frame whole = frame;
        enum dissect_result result = dissect(&frame, &segment);
        further = segment.further;
        if (result == DISSECT_FRAGMENT && *fragments == NULL)
            *fragments = fragments_new(&analyzer->engine.config);
        if (result == DISSECT_FRAGMENT && *fragments == NULL)
            return STATUS_NO_MEMORY;
        if (result == DISSECT_FRAGMENT)
            result = fragments_join(*fragments, packet->time, &whole, &segment);
        segment.time = packet->time;
        segment.packet = packet->number;
        if (result == DISSECT_SEGMENT)
            path_take(analyzer->path, packet->tap, &segment);
    }
    if (*fragments != NULL && !drop_lost(*fragments))
        return STATUS_NO_MEMORY;
    if (path_is_due(analyzer->path)) /* the first tap's capture may have ended long before */
        analyzer_process_batch(analyzer);
    return analyzer_take_status(analyzer);
}

nanotime analyzer_tap_time(const struct analyzer *analyzer, uint32_t tap, nanotime t)
{
    return path_time(analyzer->path, tap, t);
}

void analyzer_tap_end(struct analyzer *analyzer, uint32_t tap)
{
    path_end(analyzer->path, tap);
}

static enum status worse_of(enum status a, enum status b)
{
    return a != STATUS_OK ? a : b;
}

/* What follows the first packet of a frame, and what is given up by now. */
static enum status take_rest(struct analyzer *analyzer, const struct analyzer_packet *packet,
                             struct frame *frame)
{
    enum status status = STATUS_OK;
    while (analyzer->further) {
        struct engine_item *item = next_item(analyzer);
        frame->part++;
        enum dissect_result result = dissect(frame, &item->segment);
        status = worse_of(take_result(analyzer, packet, frame, result, item), status);
    }
    if (analyzer->fragments == NULL)
        return status;
    enum status lost = analyzer_take_lost(analyzer, packet->time);
    return fragments_starved(analyzer->fragments) ? STATUS_NO_MEMORY : worse_of(status, lost);
}

/* A frame that is no segment, or more than one; or that comes while fragments are kept. */
static __attribute__((noinline)) enum status
take_frame(struct analyzer *analyzer, const struct analyzer_packet *packet, struct frame frame,
           enum dissect_result result, struct engine_item *item)
{
    analyzer->items = 0;
    enum status status = take_result(analyzer, packet, &frame, result, item);
    if (!analyzer->further && analyzer->fragments == NULL)
        return status;
    enum status rest = take_rest(analyzer, packet, &frame);
    return rest == STATUS_NO_MEMORY ? rest : worse_of(status, rest);
}

/* Nearly every packet is one segment: that way has no call of a function of this file. */
static inline enum status take_packet(struct analyzer *analyzer,
                                      const struct analyzer_packet *packet)
{
    if (packet->lost > 0)
        analyzer_note_loss(analyzer, packet->lost, packet->time, packet->time);
    analyzer->number = packet->number != 0 ? packet->number : analyzer->number + 1;
    struct frame frame = {packet->data, packet->captured, packet->length, packet->link_type, 0};
    struct engine_item *item = next_item(analyzer);
    enum dissect_result result = dissect(&frame, &item->segment);
    if (result != DISSECT_SEGMENT || item->segment.further || analyzer->fragments != NULL)
        return take_frame(analyzer, packet, frame, result, item);
    analyzer->results[DISSECT_SEGMENT]++;
    item->kind = ITEM_SEGMENT;
    return take_segment(analyzer, packet, item, 0);
}

enum status analyzer_packets(struct analyzer *analyzer, const struct analyzer_packet *packets,
                             size_t count, size_t *ret_taken)
{
    enum status status = STATUS_OK;
    size_t taken = 0;
    count_packets(analyzer, packets, count);
    while (taken < count && status != STATUS_NO_MEMORY)
        status = worse_of(take_packet(analyzer, &packets[taken++]), status);
    *ret_taken = taken;
    return status;
}

enum status analyzer_packet(struct analyzer *analyzer, const struct analyzer_packet *packet)
{
    size_t taken;
    if (packet->tap > 0 && analyzer->path != NULL)
        return take_far(analyzer, packet);
    return analyzer_packets(analyzer, packet, 1, &taken);
}
