/*
 * analyzer_packets: what becomes of each packet; see analyzer.h.  analyzer_packets() is the data
 * flow, read as a table of contents.
 */
#include "analyzer.h"
#include "analyzer_parts.h"
#include "base/fetch.h"

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

/* The capture clock, as the run's summary has it; what is no later than it came out of order. */
static inline void note_time(struct analyzer *analyzer, nanotime time)
{
    if (!time_is_before(time, analyzer->last)) {
        analyzer->last = time;
        return;
    }
    analyzer->regressions++;
    analyzer->first = time_earlier_of(analyzer->first, time);
}

static inline void count_packet(struct analyzer *analyzer, const struct captured *packet)
{
    analyzer->bytes += packet->length;
    if (packet->captured < packet->length)
        analyzer->truncated++;
    note_time(analyzer, packet->time);
}

static void begin_at(struct analyzer *analyzer, nanotime time)
{
    analyzer->first = analyzer->last = time;
    analyzer_begin_tapes(analyzer, time);
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

/* The next item of the batch is complete; a full batch is analysed. */
static inline enum status take_in_batch(struct analyzer *analyzer, struct engine_item *item)
{
    analyzer->clock = time_later_of(analyzer->clock, item->segment.time);
    item->clock = analyzer->clock;
    engine_foresee(&analyzer->engine, item);
    analyzer->turn[analyzer->batched] = engine_turn_of(item, analyzer->batched);
    if (++analyzer->batched < ENGINE_BATCH)
        return STATUS_OK;
    analyzer_process_batch(analyzer);
    return analyzer_take_status(analyzer);
}

/* part: which item of its packet it is. */
static enum status take_item(struct analyzer *analyzer, struct engine_item *item, uint32_t part)
{
    if (analyzer->path != NULL && item->kind == ITEM_SEGMENT)
        path_take(analyzer->path, 0, &item->segment);
    const uint32_t context = context_of(analyzer, item);
    item->losses = (uint16_t)analyzer->losses.count;
    item->part = part;
    if (analyzer->shards != NULL)
        return shards_take(analyzer->shards, context);
    engine_identify(analyzer->engine.table.secret, context, item);
    return take_in_batch(analyzer, item);
}

/* Whether neither taps, VLANs nor tunnels count. */
static bool is_simple(const struct analyzer *analyzer)
{
    const struct config *config = &analyzer->engine.config;
    return analyzer->path == NULL && config->vlan_key == 0 && config->tunnel_key == 0;
}

/* What take_item() does with the one item of a plain packet where all is simple. */
static inline enum status take_simple_item(struct analyzer *analyzer, struct engine_item *item)
{
    item->losses = (uint16_t)analyzer->losses.count;
    item->part = 0;
    if (analyzer->shards != NULL)
        return shards_take(analyzer->shards, 0);
    item->end = (uint8_t)flow_key_identify_ip4(analyzer->engine.table.secret, &item->segment, 0,
                                               &item->key, &item->hash);
    return take_in_batch(analyzer, item);
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

/* What a segment says of the interface, where its frame says nothing itself. */
static inline uint8_t seen_on_of(const struct analyzer_packet *packet)
{
    enum { NUMBERS = SEEN_ON_MOST + 1 - SEEN_ON_CALLERS };
    return packet->seen_on > 0 ? (uint8_t)(SEEN_ON_CALLERS + packet->seen_on % NUMBERS) : 0;
}

/* The item is a segment, or an error that quotes one. */
static enum status take_segment(struct analyzer *analyzer, const struct analyzer_packet *packet,
                                struct engine_item *item, uint32_t part)
{
    if (item->kind == ITEM_SEGMENT)
        analyzer->bad_checksums += item->segment.checksum_verdict == CHECKSUM_BAD;
    item->segment.time = packet->time;
    item->segment.packet = analyzer->number;
    if (item->segment.around.seen_on == 0)
        item->segment.around.seen_on = seen_on_of(packet);
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
    moments_add(&analyzer->losses, from, until, analyzer_clock(analyzer));
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

/* A frame that is not plain; or that comes while fragments are kept.  first: of its run. */
static __attribute__((noinline)) enum status take_frame(struct analyzer *analyzer,
                                                        const struct analyzer_packet *first,
                                                        const struct captured *captured, bool plain,
                                                        struct engine_item *item)
{
    struct analyzer_packet packet = *first;
    packet.time = captured->time;
    struct frame frame = {captured->data, captured->captured, captured->length, packet.link_type,
                          0};
    enum dissect_result result = plain ? DISSECT_SEGMENT : dissect(&frame, &item->segment);
    analyzer->items = 0;
    enum status status = take_result(analyzer, &packet, &frame, result, item);
    if (!analyzer->further && analyzer->fragments == NULL)
        return status;
    enum status rest = take_rest(analyzer, &packet, &frame);
    return rest == STATUS_NO_MEMORY ? rest : worse_of(status, rest);
}

size_t analyzer_foreseen_octets(void)
{
    return sizeof(struct segment);
}

_Static_assert(sizeof(struct segment) % ENGINE_LINE == 0,
               "one behind the other they share no line");

bool analyzer_foresee(int link_type, const struct captured *packet, void *ret_foreseen)
{
    return dissect_plain(link_type, packet->data, packet->captured, ret_foreseen);
}

enum { COPIED_AHEAD = 6 };

/* Asks for what was made of a packet that comes soon: on another core, so it is far away. */
static inline __attribute__((always_inline)) void foresee_copy(const struct captured *packet)
{
    if (packet->foreseen == NULL)
        return;
    fetch_ahead(packet->foreseen);
    fetch_ahead((const char *)packet->foreseen + ITEM_ORDINARY);
}

/* The segment of a plain frame, which may be there already; false: it is none. */
static inline bool take_plain(int link_type, const struct captured *packet, bool foreseen,
                              struct segment *ret_segment)
{
    if (!foreseen || packet->foreseen == NULL)
        return dissect_plain(link_type, packet->data, packet->captured, ret_segment);
    dissect_copy_plain(packet->foreseen, ret_segment);
    return true;
}

/* What is the same for all packets of a run. */
struct run {
    const struct analyzer_packet *first;
    uint8_t seen_on;
    bool is_simple;
};

/* Nearly every packet is one segment: that way has no call of a function of this file. */
static inline __attribute__((always_inline)) enum status take_packet(struct analyzer *analyzer,
                                                                     const struct run *run,
                                                                     const struct captured *packet,
                                                                     bool foreseen)
{
    count_packet(analyzer, packet);
    analyzer->number = packet->number;
    struct engine_item *item = next_item(analyzer);
    bool plain = take_plain(run->first->link_type, packet, foreseen, &item->segment);
    if (!plain || analyzer->fragments != NULL)
        return take_frame(analyzer, run->first, packet, plain, item);
    analyzer->results[DISSECT_SEGMENT]++;
    if (item->segment.checksum_verdict == CHECKSUM_BAD)
        analyzer->bad_checksums++;
    item->segment.time = packet->time;
    item->segment.packet = packet->number;
    item->segment.around.seen_on = run->seen_on;
    item->kind = ITEM_SEGMENT;
    return run->is_simple ? take_simple_item(analyzer, item) : take_item(analyzer, item, 0);
}

/* A run of packets that were read ahead. */
static __attribute__((noinline)) enum status take_foreseen(struct analyzer *analyzer,
                                                           const struct run *run,
                                                           const struct captured *packets,
                                                           size_t count, size_t *ret_taken)
{
    enum status status = STATUS_OK;
    size_t taken = 0;
    for (size_t soon = 1; soon < COPIED_AHEAD && soon < count; soon++)
        foresee_copy(&packets[soon]);
    while (taken < count && status != STATUS_NO_MEMORY) {
        if (taken + COPIED_AHEAD < count)
            foresee_copy(&packets[taken + COPIED_AHEAD]);
        status = worse_of(take_packet(analyzer, run, &packets[taken++], true), status);
    }
    *ret_taken = taken;
    return status;
}

enum status analyzer_packets(struct analyzer *analyzer, const struct analyzer_packet *first,
                             const struct captured *packets, size_t count, size_t *ret_taken)
{
    const struct run run = {first, seen_on_of(first), is_simple(analyzer)};
    enum status status = STATUS_OK;
    size_t taken = 0;
    if (analyzer->first == NANOTIME_UNKNOWN)
        begin_at(analyzer, packets->time);
    if (first->lost > 0)
        analyzer_note_loss(analyzer, first->lost, packets->time, packets->time);
    if (packets->foreseen != NULL)
        status = take_foreseen(analyzer, &run, packets, count, &taken);
    while (taken < count && status != STATUS_NO_MEMORY)
        status = worse_of(take_packet(analyzer, &run, &packets[taken++], false), status);
    analyzer->packets += taken;
    count_link_type(analyzer, first->link_type, taken);
    *ret_taken = taken;
    return status;
}

enum status analyzer_packet(struct analyzer *analyzer, const struct analyzer_packet *packet)
{
    size_t taken;
    if (packet->tap > 0 && analyzer->path != NULL)
        return take_far(analyzer, packet);
    const uint64_t number = packet->number != 0 ? packet->number : analyzer->number + 1;
    const struct captured captured = {packet->data, packet->captured, packet->length,
                                      packet->time, number,           NULL};
    return analyzer_packets(analyzer, packet, &captured, 1, &taken);
}
