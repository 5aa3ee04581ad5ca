/* life_bends: the small changes of life.h, each at one packet of a life. */
#include "life.h"

#include <string.h>

#include "../../dissect/dissect.h"

/* ns that a packet is late, or a life pauses. */
static const nanotime pauses[] = {
    1,
    NANO_PER_MILLI,
    40 * NANO_PER_MILLI,
    200 * NANO_PER_MILLI,
    NANO_PER_SECOND,
    INT64_C(3) * NANO_PER_SECOND,
    INT64_C(31) * NANO_PER_SECOND,
    INT64_C(61) * NANO_PER_SECOND,
    INT64_C(121) * NANO_PER_SECOND,
    INT64_C(241) * NANO_PER_SECOND,
    INT64_C(1000) * NANO_PER_SECOND,
    INT64_C(7300) * NANO_PER_SECOND,
};

static const uint32_t distances[] = {1, 1, 2, 100, 1448, 65535, 65536, 1u << 30, 1u << 31};

static nanotime pause_by(uint8_t much)
{
    return pauses[much % (sizeof pauses / sizeof pauses[0])];
}

/* Either way. */
static uint32_t distance_by(uint8_t much)
{
    uint32_t distance = distances[(much >> 1) % (sizeof distances / sizeof distances[0])];
    return (much & 1) != 0 ? distance : -distance;
}

static void delay_from(struct life *life, size_t at, nanotime pause)
{
    for (; at < life->count; at++)
        life->said[at].time += pause;
}

static void lose(struct life *life, size_t at)
{
    memmove(&life->said[at], &life->said[at + 1], (life->count - at - 1) * sizeof life->said[0]);
    life->count--;
}

/* A second one, so much later; NULL where there is no room. */
static struct said *repeat(struct life *life, size_t at, nanotime later)
{
    if (life->count == LIFE_MOST)
        return NULL;
    memmove(&life->said[at + 1], &life->said[at], (life->count - at) * sizeof life->said[0]);
    life->count++;
    life->said[at + 1].time += later;
    return &life->said[at + 1];
}

static void exchange_with_next(struct life *life, size_t at)
{
    if (at + 1 == life->count)
        return;
    struct said one = life->said[at];
    life->said[at] = life->said[at + 1];
    life->said[at + 1] = one;
    nanotime time = life->said[at].time;
    life->said[at].time = life->said[at + 1].time;
    life->said[at + 1].time = time;
}

/* Time stamps stand behind two NOPs, as in every stack; the value is their first word. */
static void change_clock(struct wire_segment *segment, uint8_t much)
{
    for (int i = 0; i + 10 <= segment->options_length; i += 4)
        if (segment->options[i + 2] == 8)
            segment->options[i + 4 + (much & 7)] ^= (uint8_t)(1 << (much >> 3 & 7));
}

static void add_option(struct wire_segment *segment, uint8_t much)
{
    static const uint8_t kinds[][4] = {{2, 4, 5, 0xb4}, {3, 3, 7, 0}, {4, 2, 1, 1},  {1, 1, 1, 1},
                                       {8, 10, 0, 0},   {5, 2, 1, 1}, {30, 4, 0, 0}, {0, 0, 0, 0}};
    if (segment->options_length + 4 > WIRE_OPTIONS)
        return;
    memcpy(segment->options + segment->options_length, kinds[much & 7], 4);
    segment->options[segment->options_length + 2] ^= much >> 3;
    segment->options_length += 4;
}

/* A segment has one such option: of two, Linux reads the last, and so does dissect. */
static void add_sack(struct wire_segment *segment, uint8_t much)
{
    static const uint8_t head[] = {1, 1, 5, 10};
    bool has = memmem(segment->options, segment->options_length, head, sizeof head) != NULL;
    if (has || segment->options_length + 12 > WIRE_OPTIONS)
        return;
    uint8_t *option = segment->options + segment->options_length;
    memcpy(option, head, sizeof head);
    uint32_t left = segment->acknowledgment + distance_by(much);
    wire_put32(option + 4, left);
    wire_put32(option + 8, left + 1448);
    segment->options_length += 12;
}

/* Sent again: as it was, as a keep-alive, in part, or as an ICMP error about it. */
static void send_again(struct life *life, size_t at, uint8_t much)
{
    struct said *again = repeat(life, at, pause_by(much >> 3));
    if (again == NULL)
        return;
    again->segment.ip_id += much & 1;
    switch (much & 6) {
    case 2:
        again->segment.sequence--;
        again->segment.payload = much & 1;
        break;
    case 4:
        again->segment.payload /= 2;
        break;
    case 6:
        again->segment.quoted = true;
        break;
    default:
        break;
    }
}

static void spoil(struct said *said, uint8_t much)
{
    struct wire_segment *segment = &said->segment;
    segment->bad_checksum = (much & 3) == 0;
    segment->cut = (much & 3) == 1;
    segment->ttl = (much & 3) == 2 ? (uint8_t)(64 - (much >> 2)) : segment->ttl;
    segment->ip_id = (much & 3) == 3 ? (uint16_t)(segment->ip_id - (much >> 2)) : segment->ip_id;
}

static void change_field(struct said *said, uint8_t what, uint8_t much)
{
    struct wire_segment *segment = &said->segment;
    switch (what) {
    case 0:
        segment->sequence += distance_by(much);
        break;
    case 1:
        segment->acknowledgment += distance_by(much);
        break;
    case 2:
        segment->window = (uint16_t)((much & 7) == 0 ? 0 : much * 257u);
        break;
    case 3: /* an RST in place of a FIN, or of anything */
        segment->flags = (uint8_t)((segment->flags & ~(TCP_FIN | TCP_PSH)) | TCP_RST);
        segment->flags &= (uint8_t)((much & 1) != 0 ? ~TCP_ACK : 0xff);
        break;
    case 4:
        segment->flags ^= (uint8_t)(1 << (much & 7));
        break;
    case 5:
        segment->payload = (segment->payload + distance_by(much & 7)) % 3000;
        break;
    case 6:
        change_clock(segment, much);
        break;
    case 7:
        add_option(segment, much);
        break;
    case 8:
        add_sack(segment, much);
        break;
    case 9:
        segment->options_length = 0;
        break;
    case 10:
        segment->side = !segment->side;
        break;
    case 11:
        said->backward = pause_by(much);
        break;
    default:
        spoil(said, much);
    }
}

void life_bend(struct life *life, struct script *script)
{
    enum { FIELDS = 13 };
    uint8_t which = script_u8(script), what = script_u8(script), much = script_u8(script);
    if (life->count == 0)
        return;
    size_t at = which % life->count;
    struct said *second;
    switch (what % 20) {
    case 0:
        lose(life, at);
        break;
    case 1:
        exchange_with_next(life, at);
        break;
    case 2: /* a mirror port's */
        second = repeat(life, at, much % 100 * NANO_PER_MICRO);
        if (second != NULL)
            second->seen_on = much >> 7;
        break;
    case 3:
        delay_from(life, at, pause_by(much));
        break;
    case 4:
        life->said[at].time += pause_by(much);
        break;
    case 5:
    case 6:
        send_again(life, at, much);
        break;
    default:
        change_field(&life->said[at], (uint8_t)(what % 20 - 7), much);
    }
}
