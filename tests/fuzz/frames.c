/*
 * Fuzzes the analyzer with any frames of any link type.  A frame in the input: two octets of length
 * (of which five bits choose the link type), one of time, then its octets.
 */
#include "claim.h"
#include "run.h"
#include "script.h"

static const int link_types[] = {
#define LINK(value, name, reader)           value,
#define FIXED(value, name, octets, type_at) value,
#define BEFORE(value, name, octets, reader) value,
#include "../../dissect/link.def"
#undef BEFORE
#undef FIXED
#undef LINK
};

enum { LINK_TYPES = sizeof link_types / sizeof link_types[0], LONGEST = 0x7ff };

static struct analyzer_packet next_packet(struct script *script, nanotime *time)
{
    uint16_t first = script_u16(script);
    uint8_t second = script_u8(script);
    size_t captured = first & LONGEST;
    const uint8_t *data = script_take(script, &captured);
    *time += (nanotime)(second & 31) * 100 * NANO_PER_MILLI;
    return (struct analyzer_packet){
        .data = data,
        .captured = (uint32_t)captured,
        .length = (uint32_t)captured + ((second & 32) != 0 ? 100 : 0),
        .time = *time,
        .link_type = link_types[(first >> 11 | (second >> 6) << 5) % LINK_TYPES],
        .lost = (second & 0xff) == 0xff ? 3 : 0,
    };
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    struct script script = {octets, size};
    uint8_t first = script_u8(&script);
    struct packets packets = {0};
    struct run_options options = {.config = config_default(), .threads = 1 + (first & 3)};
    options.segments = (first & 4) != 0;
    options.transitions = (first & 8) != 0;
    options.schema = (first & 0x30) == 0;
    options.parts = true;
    options.config.max_memory = UINT64_C(4) << 20;
    options.config.census_pairs = 16;
    options.config.tunnel_key = first >> 6 & 1;
    options.config.vlan_key = first >> 7;
    nanotime time = INT64_C(1700000000) * NANO_PER_SECOND;
    while (script.left > 0) {
        struct analyzer_packet packet = next_packet(&script, &time);
        packets_add(&packets, &packet);
    }
    run_claim(&options, &packets);
    packets_clear(&packets);
    return 0;
}
