/* conversation: see conversation.h. */
#include "conversation.h"

#include <string.h>

#include "../../dissect/dissect.h"
#include "wire.h"

enum { TUPLES = 4, SIDES_OF_TUPLE = 2, CENTURY_SECONDS = 36525 * 864 };

/* What one end of a tuple has said so far. */
struct end {
    uint32_t first;  /* initial sequence number of this incarnation */
    uint32_t last;   /* where its latest segment began */
    uint32_t next;   /* sequence number after all that it sent */
    uint32_t before; /* `next` of the incarnation before */
    uint32_t zero;   /* what 0 is when all numbers are shifted */
    uint16_t ip_id;
};

struct conversation {
    struct end end[TUPLES][SIDES_OF_TUPLE];
    struct wire_segment latest; /* to be sent again as a copy; its ttl 0: there is none yet */
    nanotime time;
    bool ip6;
    bool absolute; /* a number has a meaning of its own */
};

/* Initial numbers at the places where arithmetic goes wrong. */
static const uint32_t firsts[TUPLES][SIDES_OF_TUPLE] = {
    {0xfffffff0, 0x00000000}, {0x7fffffff, 0x80000000}, {0x00000000, 0xffffffff}, {1000, 2000}};

static const uint32_t payloads[] = {0, 0, 0, 1, 10, 536, 1460, 8000};

/* ns that pass before a packet. */
static const nanotime steps[] = {
    0,
    NANO_PER_MICRO,
    100 * NANO_PER_MICRO,
    NANO_PER_MILLI,
    10 * NANO_PER_MILLI,
    100 * NANO_PER_MILLI,
    NANO_PER_SECOND,
    INT64_C(3) * NANO_PER_SECOND,
    INT64_C(10) * NANO_PER_SECOND,
    INT64_C(61) * NANO_PER_SECOND,
    INT64_C(121) * NANO_PER_SECOND,
    INT64_C(3600) * NANO_PER_SECOND,
    -NANO_PER_MILLI,
    -INT64_C(2) * NANO_PER_SECOND,
    (nanotime)CENTURY_SECONDS * 100 * NANO_PER_SECOND,
    -(nanotime)CENTURY_SECONDS * 50 * NANO_PER_SECOND,
};

/* The sequence number of a segment by its relation to what its sender said before. */
static uint32_t sequence_by(uint8_t relation, struct end *own, const struct end *peer)
{
    switch (relation & 15) {
    case 1:
        return own->next - 1; /* a keep-alive */
    case 2:
        return own->last; /* a retransmission */
    case 3:
        return own->first;
    case 4:
        return own->next + 1460; /* a hole */
    case 5:
        return own->next + 0x80000000;
    case 6:
        return own->next + 0x7fffffff;
    case 7:
        return own->last + 5; /* an overlap */
    case 8:
        return own->zero;
    case 9:
        return own->next + 0x40000000;
    case 10:
        return peer->next; /* the other's numbers */
    case 11:
        return own->before; /* of the incarnation before */
    case 12:
        return own->next - 64240;
    case 13: /* the tuple is used again */
    case 14:
        own->before = own->next;
        own->first = own->next + ((relation & 15) == 13 ? 65537 : 0x90000000);
        own->next = own->first;
        return own->first;
    default:
        return own->next;
    }
}

static uint32_t acknowledgment_by(uint8_t relation, const struct end *own, const struct end *peer)
{
    switch (relation & 15) {
    case 1:
        return peer->next - 1;
    case 2:
        return peer->last;
    case 3:
        return peer->first + 1;
    case 4:
        return peer->zero;
    case 5:
        return peer->next + 1; /* of what was never sent */
    case 6:
        return peer->next + 100000;
    case 7:
        return peer->next + 0x80000000;
    case 8:
        return own->next;
    case 9:
        return peer->before;
    case 10:
        return peer->first - 1;
    case 11:
        return peer->next - 0x40000000;
    default:
        return peer->next;
    }
}

/* From -8 to 7. */
static uint32_t distance(uint8_t relation)
{
    return (uint32_t)(relation >> 4) - ((relation & 0x80) != 0 ? 16 : 0);
}

static void put_option(struct wire_segment *segment, uint8_t kind, uint8_t octets)
{
    segment->options[segment->options_length] = kind;
    segment->options[segment->options_length + 1] = octets;
    segment->options_length = (uint8_t)(segment->options_length + octets);
}

static void put_number(struct wire_segment *segment, uint32_t value)
{
    wire_put32(segment->options + segment->options_length, value);
    segment->options_length = (uint8_t)(segment->options_length + 4);
}

static void put_timestamps(struct wire_segment *segment, uint32_t value, uint32_t echo)
{
    put_option(segment, 8, 2);
    segment->options[segment->options_length - 1] = 10;
    put_number(segment, value);
    put_number(segment, echo);
}

static void put_sack(struct wire_segment *segment, uint32_t left, uint32_t right)
{
    put_option(segment, 5, 2);
    segment->options[segment->options_length - 1] = 10;
    put_number(segment, left);
    put_number(segment, right);
}

/* Options by a choice of eight; wrong ones among them. */
static void put_options(struct wire_segment *segment, uint8_t choice, nanotime time)
{
    uint32_t clock = (uint32_t)(time / NANO_PER_MILLI);
    switch (choice & 7) {
    case 1:
        put_timestamps(segment, clock, clock - 1);
        break;
    case 2: /* what a SYN of Linux has */
        put_option(segment, 2, 4);
        put_option(segment, 3, 3);
        segment->options[2] = 5;
        segment->options[3] = 0xb4;
        segment->options[6] = choice >> 3 & 15;
        put_option(segment, 4, 2);
        put_timestamps(segment, clock, 0);
        break;
    case 3:
        put_sack(segment, segment->acknowledgment + 100, segment->acknowledgment + 1560);
        break;
    case 4: /* a duplicate */
        put_sack(segment, segment->acknowledgment - 1460, segment->acknowledgment);
        break;
    case 5: /* a clock that went back */
        put_timestamps(segment, clock - 0x40000000, 0xffffffff);
        break;
    case 6:
        put_option(segment, 34, 10); /* Fast Open */
        break;
    case 7:
        put_option(segment, 8, 9); /* malformed */
        break;
    default:
        break;
    }
}

/* What the sender has now said. */
static void note_sent(struct end *own, const struct wire_segment *segment)
{
    uint32_t octets =
        segment->payload + ((segment->flags & TCP_SYN) != 0) + ((segment->flags & TCP_FIN) != 0);
    uint32_t end = segment->sequence + octets;
    own->last = segment->sequence;
    if (end - own->next < 1u << 24)
        own->next = end;
}

static struct wire_segment next_segment(struct conversation *conversation, struct script *script)
{
    uint8_t who = script_u8(script), flags = script_u8(script), sequence = script_u8(script);
    uint8_t acknowledgment = script_u8(script), when = script_u8(script);
    uint8_t extra = script_u8(script);
    int tuple = who & 3, side = who >> 2 & 1;
    struct end *own = &conversation->end[tuple][side], *peer = &conversation->end[tuple][!side];
    nanotime moved;
    if (!__builtin_add_overflow(conversation->time, steps[when & 15], &moved) && moved > 0 &&
        moved < INT64_MAX / 2)
        conversation->time = moved;
    struct wire_segment segment = {
        .ip6 = conversation->ip6,
        .tuple = (uint8_t)tuple,
        .side = (uint8_t)side,
        .flags = flags,
        .payload = payloads[who >> 3 & 7],
        .window = (extra & 0x40) != 0 ? 0 : 501,
        .ttl = (uint8_t)(64 - (when >> 4 & 1)),
        .ip_id = own->ip_id++,
        .bad_checksum = (when >> 5) == 1,
        .cut = (when >> 5) == 2,
        .quoted = (when >> 5) == 3,
    };
    segment.sequence = sequence_by(sequence, own, peer) + distance(sequence);
    segment.acknowledgment =
        acknowledgment_by(acknowledgment, own, peer) + distance(acknowledgment);
    put_options(&segment, extra & 0x3f, conversation->time);
    if ((who >> 6) == 3 && conversation->latest.ttl != 0) /* a copy, as a mirror port makes it */
        segment = conversation->latest;
    if (!segment.quoted)
        note_sent(own, &segment);
    segment.place = segment.sequence - own->zero;
    conversation->absolute |=
        (segment.flags & TCP_RST) != 0 && (segment.sequence == 0 || segment.acknowledgment == 0);
    conversation->latest = segment;
    return segment;
}

static struct end end_shifted(uint32_t first, uint32_t shift)
{
    uint32_t from = first + shift;
    return (struct end){.first = from, .next = from, .last = shift, .before = shift, .zero = shift};
}

bool conversation_write(struct script script, uint32_t shift, struct packets *packets)
{
    struct conversation conversation = {.time = INT64_C(1700000000) * NANO_PER_SECOND};
    conversation.ip6 = (script_u8(&script) & 1) != 0;
    for (int tuple = 0; tuple < TUPLES; tuple++)
        for (int side = 0; side < SIDES_OF_TUPLE; side++)
            conversation.end[tuple][side] = end_shifted(firsts[tuple][side], shift);
    for (int i = 0; i < CONVERSATION_MOST && script.left > 0; i++) {
        uint8_t octets[WIRE_LARGEST];
        struct wire_segment segment = next_segment(&conversation, &script);
        uint32_t length = wire_write(&segment, octets);
        packets_add(packets, &(struct analyzer_packet){
                                 .data = octets,
                                 .captured = segment.cut ? length - length / 4 : length,
                                 .length = length,
                                 .time = conversation.time,
                                 .link_type = CONVERSATION_ETHERNET,
                             });
    }
    return !conversation.absolute;
}
