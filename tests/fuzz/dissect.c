/*
 * Fuzzes dissect(): the first octet chooses the link type, the second how much of the frame was
 * captured, the rest is the frame.  What comes out is sound, the same twice, and a frame never
 * yields more packets than it has octets.
 */
#include "../../dissect/dissect.h"
#include "claim.h"
#include "script.h"

#include <string.h>

static const int link_types[] = {
#define LINK(value, name, reader)           value,
#define FIXED(value, name, octets, type_at) value,
#define BEFORE(value, name, octets, reader) value,
#include "../../dissect/link.def"
#undef BEFORE
#undef FIXED
#undef LINK
    147, /* no link type that is read */
};

enum { LINK_TYPES = sizeof link_types / sizeof link_types[0], LONGEST_HASHED = 128 };

static void claim_sound(const struct segment *segment, const struct frame *frame)
{
    CLAIM(segment->ip_version == 4 || segment->ip_version == 6, "%u", segment->ip_version);
    CLAIM(segment->vlans <= SEGMENT_VLANS, "%u", segment->vlans);
    CLAIM(segment->sacks <= SEGMENT_SACKS, "%u", segment->sacks);
    CLAIM(segment->around.tunnels <= SEGMENT_TUNNELS, "%u", segment->around.tunnels);
    for (uint8_t i = 0; i < segment->around.tunnels; i++)
        CLAIM(segment->around.kind[i] < TUNNEL_KINDS, "%u", segment->around.kind[i]);
    CLAIM(segment->payload + 20 < segment->ip_length, "%u of %u", segment->payload,
          segment->ip_length);
    CLAIM(segment->payload_hashed <= LONGEST_HASHED, "%u", segment->payload_hashed);
    CLAIM(segment->payload_hashed <= segment->payload, "%u", segment->payload_hashed);
    CLAIM(segment->cut == 1 || segment->ip_length <= frame->captured, "%u of %u",
          segment->ip_length, frame->captured);
}

static void claim_fragment(const struct frame *frame)
{
    struct fragment fragment;
    if (!dissect_fragment(frame, &fragment))
        return;
    CLAIM(fragment.captured <= fragment.length, "%u of %u", fragment.captured, fragment.length);
    CLAIM(fragment.captured == 0 ||
              (fragment.data >= frame->data &&
               fragment.data + fragment.captured <= frame->data + frame->captured),
          "%u octets outside of the frame", fragment.captured);
    CLAIM(fragment.vlans <= SEGMENT_VLANS, "%u", fragment.vlans);
    CLAIM(fragment.offset % 8 == 0 && fragment.offset <= 8191 * 8, "%u", fragment.offset);
}

/* One packet of the frame; whether another follows. */
static bool try_part(const struct frame *frame)
{
    struct segment first, again;
    memset(&first, 0x00, sizeof first);
    memset(&again, 0xff, sizeof again);
    enum dissect_result result = dissect(frame, &first);
    CLAIM(dissect(frame, &again) == result, "%s", dissect_result_name(result));
    CLAIM(result < DISSECT_RESULTS, "%d", (int)result);
    CLAIM(first.further == again.further, "%s", dissect_result_name(result));
    if (result == DISSECT_SEGMENT) {
        claim_sound(&first, frame);
        claim_sound(&again, frame);
        CLAIM(first.sequence == again.sequence && first.payload == again.payload &&
                  first.options == again.options && first.payload_hash == again.payload_hash,
              "another segment the second time");
    }
    if (result == DISSECT_FRAGMENT)
        claim_fragment(frame);
    struct icmp_error error;
    if (result == DISSECT_ICMP_ERROR)
        CLAIM(dissect_icmp_error(frame, &again, &error) == result, "not an error the second time");
    return first.further;
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    struct script script = {octets, size};
    int link_type = link_types[script_u8(&script) % LINK_TYPES];
    uint32_t cut = script_u8(&script);
    uint32_t length = (uint32_t)script.left;
    uint32_t captured = cut < length ? length - cut : length;
    uint8_t *exact = malloc(captured > 0 ? captured : 1);
    memcpy(exact, script.at, captured);
    struct frame frame = {exact, captured, cut < 128 ? length : captured, link_type, 0};
    while (try_part(&frame)) {
        frame.part++;
        CLAIM(frame.part <= frame.captured, "%u packets in %u octets", frame.part, frame.captured);
    }
    free(exact);
    return 0;
}
