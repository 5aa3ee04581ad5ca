/* lives: see life.h.  A life is spelled: a letter is a packet, of the client where it is small. */
#include "life.h"

#include <ctype.h>
#include <string.h>

#include "../../dissect/dissect.h"
#include "claim.h"

enum { TUPLES = 16, ENDS = 2, ETHERNET = 1, ETHERNET_LEAST = 60 };

/*
 * s SYN, d data, a an ACK alone, f FIN, x FIN with data, r RST, k RST without an ACK.  A bar: the
 * next one speaks before it has seen what the other said last.
 */
static const char *const openings[] = {
    "sSa", "sSa", "sSa", "sS", "", "sR", "ssSa", "sa",
};
static const char *const exchanges[] = {
    "dADa", "dD", "ddA", "dDDaDa", "a", "D|D|Da", "d|Da|A", "DaDa",
};
static const char *const closes[] = {
    "fAFa", "fFa",  "FfA", "FafA", "f|FaA", "r",     "R",   "fADaFa",
    "xFa",  "xAFa", "FaR", "fk",   "fAR",   "fFaFa", "fAF", "",
};

/* ns between a packet and what answers it. */
static const nanotime trips[] = {
    0,
    NANO_PER_MICRO,
    100 * NANO_PER_MICRO,
    NANO_PER_MILLI,
    20 * NANO_PER_MILLI,
    400 * NANO_PER_MILLI,
    INT64_C(2) * NANO_PER_SECOND,
    INT64_C(20) * NANO_PER_SECOND,
};

/* ns from the beginning of a life to that of the next one. */
static const nanotime starts[] = {
    0,
    10 * NANO_PER_MICRO,
    NANO_PER_MILLI,
    500 * NANO_PER_MILLI,
    INT64_C(5) * NANO_PER_SECOND,
    INT64_C(40) * NANO_PER_SECOND,
    INT64_C(70) * NANO_PER_SECOND,
    INT64_C(200) * NANO_PER_SECOND,
};

/* Where arithmetic goes wrong: a little before it. */
static const uint32_t firsts[] = {1000, 0xfffffff0, 0xfffff000, 0x7fffff00};

static const uint32_t payloads[] = {1, 100, 536, 1448, 2896, 8000, 10, 1460};

/* What one end of a tuple has said. */
struct end {
    uint32_t next, seen;
    uint16_t ip_id;
};

struct lives {
    struct end end[TUPLES][ENDS];
    struct said *all; /* owned */
    size_t count;
    nanotime now; /* the latest life began */
};

/* What a life's octets choose. */
struct plan {
    const char *opening, *exchange, *close;
    uint8_t tuple, net, often, options;
    uint32_t payload;
    nanotime start, trip;
    bool ip6, padded;
};

static void put_options(const struct plan *plan, nanotime time, struct wire_segment *segment)
{
    static const uint8_t of_syn[] = {2, 4, 5, 0xb4, 4, 2, 1, 1, 1, 3, 3, 7};
    static const uint8_t stamps[] = {1, 1, 8, 10};
    uint32_t clock = (uint32_t)((plan->start + time) / NANO_PER_MILLI);
    if ((segment->flags & TCP_SYN) != 0) {
        segment->options_length = (plan->options & 6) * 2; /* MSS, SACK, window scale */
        memcpy(segment->options, of_syn, segment->options_length);
    }
    if ((plan->options & 1) == 0)
        return;
    uint8_t *option = segment->options + segment->options_length;
    memcpy(option, stamps, sizeof stamps);
    wire_put32(option + 4, clock);
    wire_put32(option + 8, (segment->flags & TCP_ACK) != 0 ? clock - 1 : 0);
    segment->options_length += 12;
}

static uint8_t flags_of(char letter)
{
    switch (tolower(letter)) {
    case 's':
        return TCP_SYN | (isupper(letter) ? TCP_ACK : 0);
    case 'd':
        return TCP_ACK | TCP_PSH;
    case 'f':
    case 'x':
        return TCP_ACK | TCP_FIN;
    case 'r':
        return TCP_ACK | TCP_RST;
    case 'k':
        return TCP_RST;
    default:
        return TCP_ACK;
    }
}

static void say(const struct plan *plan, char letter, bool blind, struct end *end,
                struct life *life)
{
    int from = isupper(letter) != 0;
    struct end *own = &end[from];
    bool data = strchr("dx", tolower(letter)) != NULL;
    if (life->count == LIFE_MOST)
        return;
    nanotime before = life->count == 0 ? 0 : life->said[life->count - 1].time;
    own->seen = blind ? own->seen : end[!from].next;
    struct said said = {.time = before + plan->trip, .padded = plan->padded};
    said.segment = (struct wire_segment){
        .ip6 = plan->ip6,
        .tuple = plan->tuple & 3,
        .port = plan->tuple >> 2,
        .net = plan->net,
        .side = (uint8_t)from,
        .flags = flags_of(letter),
        .payload = data ? plan->payload : 0,
        .window = 501,
        .ttl = (uint8_t)(64 - from),
        .ip_id = own->ip_id++,
        .sequence = own->next,
        .place = own->next,
    };
    said.segment.acknowledgment = (said.segment.flags & TCP_ACK) != 0 ? own->seen : 0;
    put_options(plan, said.time, &said.segment);
    own->next += said.segment.payload + ((said.segment.flags & (TCP_SYN | TCP_FIN)) != 0);
    life->said[life->count++] = said;
}

static void spell(const struct plan *plan, const char *letters, struct end *end, struct life *life)
{
    bool blind = false;
    for (; *letters != '\0'; letters++) {
        if (*letters != '|')
            say(plan, *letters, blind, end, life);
        blind = *letters == '|';
    }
}

/* A tuple that is used again goes on a little higher, or anywhere. */
static void begin(struct end *end, uint8_t choice)
{
    for (int from = 0; from < ENDS; from++) {
        uint32_t first = firsts[choice >> 2 * from & 3];
        bool again = (choice & 0x10) != 0;
        end[from].next = again ? end[from].next + first : first;
        end[from].seen = 0;
    }
}

static void keep(struct lives *lives, const struct life *life, nanotime start)
{
    for (size_t i = 0; i < life->count; i++) {
        struct said *said = &lives->all[lives->count++];
        *said = life->said[i];
        said->time += start;
    }
}

static void live(struct lives *lives, struct script *script)
{
    struct life life = {.count = 0};
    uint8_t tuple = script_u8(script), opening = script_u8(script), exchange = script_u8(script);
    uint8_t pace = script_u8(script), start = script_u8(script), isns = script_u8(script);
    struct plan plan = {
        .tuple = tuple & 15,
        .net = start >> 3,
        .close = closes[tuple >> 4],
        .opening = openings[opening & 7],
        .options = opening >> 3 & 7,
        .ip6 = opening >> 6 == 3,
        .padded = (opening & 0x40) == 0,
        .exchange = exchanges[exchange & 7],
        .often = exchange >> 4,
        .payload = payloads[pace & 7],
        .trip = trips[pace >> 3 & 7],
        .start = lives->now + starts[start & 7],
    };
    struct end *end = lives->end[plan.tuple];
    begin(end, isns);
    spell(&plan, plan.opening, end, &life);
    for (int i = 0; i < plan.often; i++)
        spell(&plan, plan.exchange, end, &life);
    spell(&plan, plan.close, end, &life);
    for (int bends = isns >> 5 & 3; bends > 0; bends--)
        life_bend(&life, script);
    lives->now = plan.start;
    keep(lives, &life, plan.start);
}

static int compare(const void *a, const void *b)
{
    const struct said *one = a, *other = b;
    return (one->time > other->time) - (one->time < other->time);
}

/* Those of one moment stay in their order, so qsort() does not serve. */
static void sort(struct said *said, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct said one = said[i];
        size_t to = i;
        for (; to > 0 && compare(&said[to - 1], &one) > 0; to--)
            said[to] = said[to - 1];
        said[to] = one;
    }
}

static void write_packet(const struct said *said, struct packets *packets)
{
    uint8_t octets[WIRE_LARGEST] = {0};
    uint32_t length = wire_write(&said->segment, octets);
    length = said->padded && length < ETHERNET_LEAST ? ETHERNET_LEAST : length;
    nanotime time = said->time - said->backward;
    packets_add(packets, &(struct analyzer_packet){
                             .data = octets,
                             .captured = said->segment.cut ? length - length / 4 : length,
                             .length = length,
                             .time = time > 0 ? time : 1,
                             .link_type = ETHERNET,
                             .seen_on = said->seen_on,
                         });
}

void lives_write(struct script script, struct packets *packets)
{
    struct lives lives = {.now = INT64_C(1700000000) * NANO_PER_SECOND};
    lives.all = calloc((size_t)LIVES_MOST * LIFE_MOST, sizeof *lives.all);
    CLAIM(lives.all != NULL, "no memory");
    for (int i = 0; i < LIVES_MOST && script.left > 0; i++)
        live(&lives, &script);
    sort(lives.all, lives.count);
    for (size_t i = 0; i < lives.count; i++)
        write_packet(&lives.all[i], packets);
    free(lives.all);
}
