/*
 * The short way of the segments that open a connection and end it leaves it as the long way does,
 * octet for octet: short connections drawn at random, from SYN to last ACK, with segments that the
 * capture missed, that come twice, and that are bent; each is given to two equal connections.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../analyzer/tcp/course_lead.h"
#include "two_ways.h"

enum { LIVES = 40000 };

struct life {
    uint64_t seed;
    struct connection briefly, fully;
    uint64_t packet;
    nanotime now;
    uint32_t next[SIDES], acked[SIDES], clock[SIDES];
    uint16_t options[SIDES]; /* of the SYNs */
    bool stamped, started;
    bool rough; /* else nothing is lost, twice or bent */
    uint32_t opened, parted;
};

static uint32_t draw(struct life *life, uint32_t below)
{
    return draw_below(&life->seed, below);
}

/* The usual course where it fits; the first segment began it. */
static void take_briefly(struct life *life, const struct segment *segment, int from, bool first)
{
    struct step step;
    bool parting = life->briefly.course >= COURSE_PROVEN;
    if (first && from == 0 && course_begins(segment)) {
        course_begin(&life->briefly, segment);
        life->opened++;
    } else if (course_fits(&life->briefly, segment, from)) {
        assert_true(course_take(&life->briefly, segment, from));
        life->opened += !parting;
        life->parted += parting;
    } else {
        assert_true(connection_segment(&life->briefly, segment, from, &step));
    }
}

static void give(struct life *life, struct segment *segment, int from)
{
    struct step other;
    bool first = !life->started;
    segment->packet = ++life->packet;
    life->now += (nanotime)draw(life, draw(life, 2) == 0 ? 300000 : 300000000);
    segment->time = life->now;
    if (!life->started) {
        connection_start(&life->briefly, segment, from);
        connection_start(&life->fully, segment, from);
        life->started = true;
    }
    take_briefly(life, segment, from, first);
    assert_true(connection_segment_fully(&life->fully, segment, from, &other));
    assert_same_connection(&life->briefly, &life->fully);
}

/* Bends the segment somewhere: what the short way must leave alone, or take as it is. */
static void bend(struct life *life, struct segment *segment)
{
    switch (draw(life, 16)) {
    case 0:
        segment->sequence += draw(life, 3) - 1;
        break;
    case 1:
        segment->acknowledgment += draw(life, 3) - 1;
        break;
    case 2:
        segment->sequence -= draw(life, 100000);
        break;
    case 3:
        segment->acknowledgment -= draw(life, 100000);
        break;
    case 4:
        segment->window = (uint16_t)draw(life, 3);
        break;
    case 5:
        segment->checksum_verdict = draw(life, 2) == 0 ? CHECKSUM_BAD : CHECKSUM_UNVERIFIED;
        break;
    case 6:
        segment->flags ^= TCP_FIN;
        break;
    case 7:
        segment->flags ^= TCP_RST;
        break;
    case 8:
        segment->flags ^= TCP_SYN;
        break;
    case 9:
        segment->flags ^= TCP_ACK;
        break;
    case 10:
        segment->flags |= TCP_URG | TCP_ECE;
        break;
    case 11:
        segment->payload += 1 + draw(life, 20);
        break;
    case 12:
        segment->options = OPTION_CUT;
        break;
    case 13:
        segment->options |= OPTION_SACK;
        segment->sacks = 1;
        segment->sack[0].left = segment->acknowledgment + draw(life, 100);
        segment->sack[0].right = segment->sack[0].left + draw(life, 3000);
        break;
    case 14:
        segment->tsval -= draw(life, 50);
        segment->tsecr += draw(life, 3);
        break;
    default:
        segment->options ^= OPTION_TIMESTAMPS;
    }
}

/* What the side sends now: most often once, and as it should be. */
static void say(struct life *life, int from, uint8_t flags, uint32_t payload)
{
    bool syn = (flags & TCP_SYN) != 0;
    life->clock[from] += draw(life, 3);
    struct segment segment = {
        .source = {10, 0, 0, (uint8_t)from},
        .destination = {10, 0, 0, (uint8_t)(1 - from)},
        .ip_version = 4,
        .ttl = (uint8_t)(64 - from),
        .ip_id = (uint16_t)(life->packet + 1),
        .ip_length = 52 + payload,
        .sequence = life->next[from],
        .acknowledgment = (flags & TCP_ACK) != 0 ? life->acked[from] : 0,
        .payload = payload,
        .window = 500,
        .options =
            (uint16_t)((life->stamped ? OPTION_TIMESTAMPS : 0) | (syn ? life->options[from] : 0)),
        .mss = 1460,
        .window_scale = (uint8_t)(15 - from),
        .tsval = life->clock[from],
        .tsecr = life->clock[1 - from],
        .flags = flags,
        .checksum_verdict = CHECKSUM_GOOD,
    };
    life->next[from] += payload + syn + ((flags & TCP_FIN) != 0);
    if (!life->rough || draw(life, 6) > 0)
        life->acked[1 - from] = life->next[from];
    uint32_t copies = !life->rough || draw(life, 12) > 1 ? 1 : draw(life, 3);
    for (; copies > 0; copies--) {
        struct segment copy = segment;
        while (life->rough && draw(life, 10) == 0)
            bend(life, &copy);
        give(life, &copy, from);
    }
}

static void shake_hands(struct life *life)
{
    say(life, 0, TCP_SYN, 0);
    say(life, 1, TCP_SYN | TCP_ACK, 0);
    say(life, 0, TCP_ACK, draw(life, 8) == 0 ? 100 : 0);
}

static void talk(struct life *life)
{
    for (uint32_t segments = draw(life, 6); segments > 0; segments--) {
        int from = (int)draw(life, 2); /* one draw a statement: the same with every compiler */
        say(life, from, TCP_ACK | TCP_PSH, draw(life, 3) * 100);
    }
}

static void part(struct life *life)
{
    int first = (int)draw(life, 2);
    say(life, first, TCP_FIN | TCP_ACK, draw(life, 4) == 0 ? 100 : 0);
    if (draw(life, 2) == 0)
        say(life, 1 - first, TCP_ACK, 0);
    if (draw(life, 4) == 0)
        say(life, 1 - first, TCP_ACK | TCP_PSH, 100);
    say(life, 1 - first, TCP_FIN | TCP_ACK, 0);
    say(life, first, TCP_ACK, 0);
}

static void live(struct life *life, uint64_t seed)
{
    static const uint32_t places[] = {0, 0xfffffff0, 0x7ffffff0, 0x80000000};
    uint32_t opened = life->opened, parted = life->parted;
    memset(life, 0, sizeof *life);
    life->seed = seed * 2654435761u;
    life->opened = opened;
    life->parted = parted;
    life->now = (nanotime)1700000000 * 1000000000;
    life->stamped = draw(life, 2) == 0;
    life->rough = draw(life, 4) > 0;
    for (int side = 0; side < SIDES; side++) {
        life->next[side] = places[draw(life, 4)] + draw(life, 32);
        life->clock[side] = places[draw(life, 4)] + draw(life, 3);
        life->options[side] = draw(life, 4) == 0 ? 0 : OPTION_MSS;
        life->options[side] |= draw(life, 3) == 0 ? 0 : OPTION_WINDOW_SCALE;
        life->options[side] |= draw(life, 3) == 0 ? 0 : OPTION_SACK_PERMITTED;
    }
    shake_hands(life);
    talk(life);
    part(life);
    connection_clear(&life->briefly);
    connection_clear(&life->fully);
}

static void both_ways_leave_the_same(void **state)
{
    struct life *life = calloc(1, sizeof *life);
    (void)state;
    assert_non_null(life);
    for (uint64_t seed = 1; seed <= LIVES; seed++)
        live(life, seed);
    assert_true(life->opened > LIVES); /* of four */
    assert_true(life->opened < 4 * LIVES);
    assert_true(life->parted > LIVES); /* of three or four */
    assert_true(life->parted < 4 * LIVES);
    free(life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_leave_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
