/* analyzer_state: an analyzer into a state file, and out of one (analyzer_carry in analyzer.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer_parts.h"
#include "base/carry_rows.h"
#include "engine_state.h"
#include "intake/fragments_state.h"

#include "analyzer_state.def"

enum { SPELLED = 32 };

/* --- what a state and the run that reads it must have in common --- */

static const struct {
    const char *name;
    size_t offset, width;
    const char *unit;
} tunables[] = {
#define TUNABLE(type, name, initial, unit, reason)                                                 \
    {#name, offsetof(struct config, name), sizeof(type), unit},
#include "config.def"
#undef TUNABLE
};

/* The outcome does not depend on these. */
static bool is_free(const char *name)
{
    static const char *const names[] = {"threads", "batch", "max_memory"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static uint64_t value_of(const struct config *config, size_t row)
{
    uint64_t value = 0;
    const char *at = (const char *)config + tunables[row].offset;
    if (tunables[row].width == sizeof(value))
        memcpy(&value, at, sizeof(value));
    else
        value = *(const uint32_t *)(const void *)at;
    return value;
}

/* As --set takes it: durations in the largest unit that divides them. */
static void spell(char *out, size_t room, const char *unit, uint64_t value)
{
    static const struct {
        uint64_t ns;
        const char *unit;
    } steps[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "us"}, {1, "ns"}};
    size_t step = 0;
    if (strcmp(unit, "ns") != 0) {
        snprintf(out, room, "%llu", (unsigned long long)value);
        return;
    }
    while (value % steps[step].ns != 0)
        step++;
    snprintf(out, room, "%llu%s", (unsigned long long)(value / steps[step].ns), steps[step].unit);
}

static enum status carry_config(struct carry *carry, const struct config *config, char *message)
{
    for (size_t row = 0; row < sizeof(tunables) / sizeof(tunables[0]); row++) {
        uint64_t mine = value_of(config, row), theirs = mine;
        if (is_free(tunables[row].name))
            continue;
        carry_number(carry, &theirs, UINT64_MAX);
        if (mine == theirs || !carry_is_sound(carry))
            continue;
        char had[SPELLED], has[SPELLED];
        spell(had, sizeof(had), tunables[row].unit, theirs);
        spell(has, sizeof(has), tunables[row].unit, mine);
        snprintf(message, MESSAGE_SIZE,
                 "was written with %s=%s, and this run has %s; give every run of a chain the same "
                 "(--set %s=%s, see --list-config)",
                 tunables[row].name, had, has, tunables[row].name, had);
        return STATUS_USAGE;
    }
    return STATUS_OK;
}

/* Events and notes are carried as numbers: they must have the same names. */
static void carry_catalogue(struct carry *carry)
{
    uint64_t mine = EVENT_IDS;
    for (int id = 0; id < EVENT_IDS + NOTE_IDS; id++) {
        const char *name = id < EVENT_IDS ? event_row((enum event_id)id)->id
                                          : note_row((enum note_id)(id - EVENT_IDS))->id;
        for (; *name != '\0'; name++)
            mine = hash_identity((uint64_t[]){mine, (uint64_t)*name}, 2);
    }
    uint64_t theirs = mine;
    carry_number(carry, &theirs, UINT64_MAX);
    if (theirs != mine)
        carry_fail(carry, STATUS_UNREADABLE);
}

/* --- the analyzer's own --- */

static void carry_losses(struct carry *carry, struct moments *losses)
{
    losses->count = carry_count(carry, losses->count, MOMENTS);
    for (uint32_t i = 0; i < losses->count; i++) {
        carry_signed(carry, &losses->from[i]);
        carry_signed(carry, &losses->until[i]);
        if (carry_is_reading(carry)) /* all deadlines before the state's clock are met */
            losses->told[i] = INT64_MIN;
    }
}

static void carry_fragments(struct carry *carry, struct analyzer *analyzer)
{
    bool has_fragments = analyzer->fragments != NULL;
    carry_flag(carry, &has_fragments);
    if (!has_fragments)
        return;
    if (carry_is_reading(carry))
        analyzer->fragments = fragments_new(&analyzer->engine.config);
    if (analyzer->fragments == NULL)
        carry_fail(carry, STATUS_NO_MEMORY);
    else
        fragments_carry(carry, analyzer->fragments);
}

static void carry_engines(struct carry *carry, struct analyzer *analyzer)
{
    uint64_t last_packet = analyzer->number;
    if (analyzer->shards != NULL) {
        shards_carry(analyzer->shards, carry);
        return;
    }
    analyzer_process_batch(analyzer);
    if (analyzer_take_status(analyzer) == STATUS_NO_MEMORY) /* the last batch is not all there */
        carry_fail(carry, STATUS_NO_MEMORY);
    engines_carry(carry, (struct engine *[]){&analyzer->engine}, 1);
    carry_number(carry, &last_packet, UINT64_MAX); /* a shard's */
    analyzer->clock = analyzer->engine.clock;
}

enum status analyzer_carry(struct analyzer *analyzer, struct carry *carry, char *message)
{
    carry_catalogue(carry);
    enum status status = STATUS_OK;
    if (carry_is_sound(carry))
        status = carry_config(carry, &analyzer->engine.config, message);
    if (status != STATUS_OK)
        return status;
    carry_fields(carry, analyzer_fields, analyzer);
    carry_losses(carry, &analyzer->losses);
    carry_engines(carry, analyzer);
    carry_fragments(carry, analyzer);
    host_carry(carry, analyzer->host);
    return STATUS_OK;
}
