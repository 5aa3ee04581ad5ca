/*
 * Fuzzes what is told of two taps.  The first octet chooses records and how far the second tap's
 * clock is ahead; the second is 0 for a path that leaves every packet alone, and otherwise an octet
 * of the input for each packet says what happened to it between the taps.  The rest are valid
 * packets in wrong relations (conversation.h).
 *
 * Whatever happens, the claims of run.h hold.  Of a path that leaves all packets alone nothing is
 * said to be lost, injected, changed or held on it that is more than possible: clocks jump, too.
 */
#include "claim.h"
#include "conversation.h"
#include "script.h"

#include <string.h>

#include "../../dissect/dissect.h"

enum { MOST_PACKETS = 200, SERVER_PORT = 443 };

/* What happens to a packet between the taps, or at one of them; by the low bits of its octet. */
enum fate { PASSES, LOST, INJECTED, HELD, CHANGED, DOUBLED, MISSED_BEFORE, MISSED_BEHIND };

static const nanotime leads[] = {0, 3 * NANO_PER_MILLI, -INT64_C(40) * NANO_PER_SECOND,
                                 INT64_C(86400) * NANO_PER_SECOND};

struct path {
    struct packets seen; /* at the taps, in the order of true time */
    struct script fates;
    bool untouched;
    nanotime lead; /* of the second tap's clock */
};

static bool comes_from_server(const struct analyzer_packet *packet)
{
    struct frame frame = {packet->data, packet->captured, packet->length, packet->link_type, 0};
    struct segment segment;
    return dissect(&frame, &segment) == DISSECT_SEGMENT && segment.source_port == SERVER_PORT;
}

/* The packet passes a tap at that moment of true time. */
static void pass(struct path *path, const struct analyzer_packet *packet, uint32_t tap,
                 nanotime when)
{
    struct analyzer_packet seen = *packet;
    seen.tap = tap;
    seen.time = when;
    packets_add(&path->seen, &seen);
}

static void change(struct path *path, uint8_t how)
{
    struct analyzer_packet *latest = &path->seen.packet[path->seen.count - 1];
    uint8_t *octets = (uint8_t *)latest->data;
    if (latest->captured > 0)
        octets[how >> 3 == 0 ? latest->captured - 1 : (how * 7u) % latest->captured] ^= how | 1;
}

static void send(struct path *path, const struct analyzer_packet *packet)
{
    const nanotime way = 50 * NANO_PER_MICRO;
    uint8_t how = path->untouched ? PASSES : script_u8(&path->fates);
    enum fate fate = how & 7;
    uint32_t near = comes_from_server(packet), far = 1 - near;
    nanotime out = packet->time,
             in = out + way + (path->untouched ? 0 : (how >> 3) * NANO_PER_MICRO);
    if (fate == HELD)
        in += (nanotime)(how >> 3) * 100 * NANO_PER_MILLI;
    if (fate != INJECTED && fate != MISSED_BEFORE)
        pass(path, packet, near, out);
    if (fate != LOST && fate != MISSED_BEHIND)
        pass(path, packet, far, in);
    if (fate == CHANGED)
        change(path, how);
    if (fate == DOUBLED)
        pass(path, packet, far, in + way);
}

/* In the order of true time, what came first first; then each tap by its own clock and count. */
static void line_up(struct path *path)
{
    struct packets *seen = &path->seen;
    uint64_t number[2] = {0, 0};
    for (size_t i = 1; i < seen->count; i++) {
        struct analyzer_packet packet = seen->packet[i];
        size_t at = i;
        for (; at > 0 && seen->packet[at - 1].time > packet.time; at--)
            seen->packet[at] = seen->packet[at - 1];
        seen->packet[at] = packet;
    }
    for (size_t i = 0; i < seen->count; i++) {
        struct analyzer_packet *packet = &seen->packet[i];
        packet->number = ++number[packet->tap];
        packet->time += packet->tap == 1 ? path->lead : 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    static const char *const names[] = {"a", "b"};
    struct script script = {octets, size};
    uint8_t first = script_u8(&script), fates = script_u8(&script);
    struct run_options options = {.config = config_default(), .threads = 1};
    struct packets sent = {0};
    struct path path = {.lead = leads[first & 3], .untouched = fates == 0};
    size_t count = fates;
    path.fates.at = script_take(&script, &count);
    path.fates.left = count;
    script.left = script.left < MOST_PACKETS * 6 ? script.left : MOST_PACKETS * 6;
    conversation_write(script, 0, &sent);
    for (size_t i = 0; i < sent.count; i++)
        send(&path, &sent.packet[i]);
    line_up(&path);
    options.taps = names;
    options.tap_count = 2;
    options.untouched = path.untouched;
    options.segments = (first & 4) != 0;
    options.transitions = (first & 8) != 0;
    options.schema = (first & 0x30) == 0;
    options.config.max_memory = UINT64_C(4) << 20;
    options.config.tap_segments = (first & 0x40) != 0 ? 16 : options.config.tap_segments;
    options.config.tap_events = (first & 0x80) != 0 ? 2 : options.config.tap_events;
    run_claim(&options, &path.seen);
    packets_clear(&path.seen);
    packets_clear(&sent);
    return 0;
}
