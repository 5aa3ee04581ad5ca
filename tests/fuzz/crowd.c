/*
 * Fuzzes the analyzer with many connections at once: the table that grows, slabs that empty and are
 * drawn together, connections that are parked, woken and evicted, and what is fetched ahead of its
 * turn.  The first octet chooses threads, memory and records; then every four octets say what how
 * many connections do, one behind the other, and how much time passes before.
 */
#include "claim.h"
#include "run.h"
#include "script.h"
#include "wire.h"

enum { MOST_PACKETS = 8000, STEP = 4, PORTS = 256, FIN = 0x01, SYN = 0x02, RST = 0x04, ACK = 0x10 };

struct step {
    uint8_t side, flags;
    uint16_t sequence, acknowledgment, payload;
};

/* What a connection does in one go. */
static const struct deed {
    uint32_t steps;
    struct step step[4];
} deeds[] = {
    {1, {{0, SYN, 1000, 0, 0}}},
    {3, {{0, SYN, 1000, 0, 0}, {1, SYN | ACK, 5000, 1001, 0}, {0, ACK, 1001, 5001, 0}}},
    {2, {{0, ACK, 1001, 5001, 100}, {1, ACK, 5001, 1101, 0}}},
    {4,
     {{0, FIN | ACK, 1101, 5001, 0},
      {1, ACK, 5001, 1102, 0},
      {1, FIN | ACK, 5001, 1102, 0},
      {0, ACK, 1102, 5002, 0}}},
    {1, {{1, RST | ACK, 5001, 1101, 0}}},
    {1, {{1, FIN | ACK, 5001, 1102, 0}}}, /* once more: what answers it was lost */
    {2, {{0, SYN, 9000, 0, 0}, {1, SYN | ACK, 40000, 9001, 0}}},
    {1, {{1, ACK, 5001, 1001, 0}}},
};

enum { DEEDS = sizeof deeds / sizeof deeds[0] };

static const nanotime waits[] = {0,
                                 NANO_PER_MICRO,
                                 NANO_PER_MILLI,
                                 NANO_PER_SECOND,
                                 INT64_C(20) * NANO_PER_SECOND,
                                 INT64_C(61) * NANO_PER_SECOND,
                                 INT64_C(241) * NANO_PER_SECOND,
                                 INT64_C(7200) * NANO_PER_SECOND};

static void add(struct packets *packets, const struct wire_segment *segment, nanotime time)
{
    uint8_t octets[WIRE_LARGEST];
    uint32_t length = wire_write(segment, octets);
    packets_add(packets, &(struct analyzer_packet){
                             .data = octets,
                             .captured = length,
                             .length = length,
                             .link_type = 1,
                             .time = time,
                         });
}

/* One step of the deed by each of so many connections. */
static void step_all(struct packets *packets, const struct step *step, uint32_t from,
                     uint32_t count, nanotime *time)
{
    for (uint32_t i = from; i < from + count && packets->count < MOST_PACKETS; i++) {
        struct wire_segment segment = {
            .tuple = 1,
            .port = (uint8_t)(i % PORTS),
            .net = (uint8_t)(i / PORTS),
            .side = step->side,
            .flags = step->flags,
            .ttl = 64,
            .window = 501,
            .ip_id = (uint16_t)(packets->count + 1),
            .sequence = step->sequence,
            .acknowledgment = step->acknowledgment,
            .payload = step->payload,
        };
        *time += NANO_PER_MICRO;
        add(packets, &segment, *time);
    }
}

static void write_all(struct script script, struct packets *packets)
{
    nanotime time = INT64_C(1700000000) * NANO_PER_SECOND;
    while (script.left >= STEP && packets->count < MOST_PACKETS) {
        const struct deed *deed = &deeds[script_u8(&script) % DEEDS];
        uint32_t from = script_u8(&script) * 8u, count = (script_u8(&script) + 1u) * 8;
        time += waits[script_u8(&script) & 7];
        for (uint32_t i = 0; i < deed->steps; i++)
            step_all(packets, &deed->step[i], from, count, &time);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    struct script script = {octets, size};
    struct run_options options = {.config = config_default()};
    struct packets packets = {0};
    uint8_t first = script_u8(&script);
    options.threads = 1 + (first & 3);
    options.transitions = (first & 4) != 0;
    options.tick_every = (first & 8) != 0 ? 1000 : 0;
    options.config.max_memory = UINT64_C(1) << ((first & 0x30) == 0x30 ? 22 : 28);
    write_all(script, &packets);
    run_claim(&options, &packets);
    packets_clear(&packets);
    return 0;
}
