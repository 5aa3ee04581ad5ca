/*
 * Fuzzes the analyzer with valid packets in wrong relations (conversation.h).  The first two
 * octets choose threads, records and numbers of config.def.
 */
#include "claim.h"
#include "conversation.h"

static struct run_options options_of(struct script *script)
{
    struct run_options options = {.config = config_default()};
    uint8_t first = script_u8(script), second = script_u8(script);
    options.threads = 1 + (first & 3);
    options.segments = (first & 4) != 0;
    options.transitions = (first & 8) != 0;
    options.schema = (first & 0x30) == 0; /* it takes longer than the rest */
    options.shift = (first & 0xc0) == 0 ? 0 : (uint32_t)(first >> 6) * 0x3fffffff;
    /* Little is what leaves connections, who have a quarter at least, just more than they begin
     * with. */
    options.config.max_memory = UINT64_C(1) << ((first & 0x30) == 0x30 ? 19 : 22);
    options.config.census_pairs = 16;
    options.tick_every = second >> 6;
    options.config.tombstones = 1 + (second & 3);
    options.config.strays_per_flow = (second & 4) != 0 ? 2 : 16;
    options.config.vlan_key = second >> 3 & 1;
    options.config.batch = 1 + second % 32;
    options.config.active_timeout = (second & 16) != 0 ? INT64_C(5) * NANO_PER_SECOND : 0;
    options.config.msl = (second & 32) != 0 ? NANO_PER_SECOND : options.config.msl;
    return options;
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    struct script script = {octets, size};
    struct run_options options = options_of(&script);
    struct packets packets = {0}, shifted = {0};
    bool relative = conversation_write(script, 0, &packets);
    run_claim(&options, &packets);
    if (options.shift != 0 && conversation_write(script, options.shift, &shifted) && relative)
        run_claim_likeness(&options, &packets, &shifted);
    packets_clear(&packets);
    packets_clear(&shifted);
    return 0;
}
