/*
 * Fuzzes the short ways with usual lives, bent a little (life.h): what is written of them is, octet
 * for octet, what the long way makes of every segment, with one thread and with several.  The first
 * two octets choose threads, records and numbers of config.def.
 */
#include <string.h>

#include "claim.h"
#include "life.h"
#include "long_way.h"

static struct run_options options_of(struct script *script)
{
    struct run_options options = {.config = config_default()};
    uint8_t first = script_u8(script), second = script_u8(script);
    options.threads = (first & 0xc0) == 0x40 ? 1 + (first & 3) : 1;
    options.segments = (first & 0x1c) == 0x1c;
    options.transitions = (first & 0x20) != 0;
    options.schema = (second & 0x1f) == 0x1f; /* it takes longer than the rest */
    options.config.max_memory = UINT64_C(1) << 23;
    options.config.census_pairs = 16;
    options.tick_every = (first & 0xc0) == 0x80 ? second >> 6 : 0;
    options.config.batch = 1 + second % 32;
    options.config.msl = (second & 32) != 0 ? NANO_PER_SECOND : options.config.msl;
    return options;
}

static bool is_segment_record(const char *line, size_t length)
{
    static const char name[] = "\"dataset\":\"lastack.segment\"";
    return memmem(line, length, name, strlen(name)) != NULL;
}

/* Leaves out the records of segments: they were asked for to close the engine's short ways. */
static void strip_segments(char *text)
{
    char *to = text;
    for (char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n") + 1;
        CLAIM(line[length - 1] == '\n', "half a line: %s", line);
        if (!is_segment_record(line, length)) {
            memmove(to, line, length);
            to += length;
        }
        line += length;
    }
    *to = '\0';
}

static void claim_ways(const struct run_options *options, const struct packets *packets)
{
    uint64_t lost[2];
    struct run_options at_length = *options;
    at_length.segments = true;
    char *briefly = run(options, 1, 0, packets, &lost[0]);
    long_way_take(true);
    char *fully = run(&at_length, 1, 0, packets, &lost[1]);
    long_way_take(false);
    if (!options->segments)
        strip_segments(fully);
    if (lost[0] == 0 && lost[1] == 0)
        run_claim_same(briefly, fully, "on the short ways and on the long one");
    free(briefly);
    free(fully);
}

/* A life that takes every short way once; if one is not turned aside, nothing is compared. */
static void claim_turned_aside(void)
{
    static const uint8_t plain[] = {0, 0, 0x30, 0, 0, 0, 1, 5, 0, 0, 0, 0};
    struct run_options options = {.config = config_default(), .threads = 1};
    struct packets packets = {0};
    lives_write((struct script){plain, sizeof plain}, &packets);
    claim_ways(&options, &packets);
    packets_clear(&packets);
    for (int way = 0; way < WAYS; way++)
        CLAIM(long_way_asked((enum way)way) > 0, "%s is called elsewhere",
              long_way_name((enum way)way));
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    struct script script = {octets, size};
    struct run_options options = options_of(&script);
    struct packets packets = {0};
    if (long_way_asked(WAY_USUAL) == 0)
        claim_turned_aside();
    lives_write(script, &packets);
    claim_ways(&options, &packets);
    if (options.threads > 1 || options.tick_every > 0 || options.schema)
        run_claim(&options, &packets);
    packets_clear(&packets);
    return 0;
}
