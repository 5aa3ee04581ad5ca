/* incarnation_state: see incarnation_state.h. */
#include "incarnation_state.h"

#include <stdlib.h>

#include "../base/carry_rows.h"
#include "../tcp/connection_state.h"
#include "icmp_story.h"
#include "route.h"

enum { MOST_TOMBSTONES = 64 }; /* of a tuple; the configuration allows fewer */

/* A lone SYN, with the members that have a few bits each in octets. */
struct plain_embryo {
    struct embryo whole;
    uint8_t checksum_verdict, end;
    bool cut, vlans;
};

/* And one of the last segments. */
struct plain_last {
    struct last_segment whole;
    uint64_t packet;
    uint8_t end, hashed, flags;
};

#include "incarnation_state.def"

static void carry_lasts(struct carry *carry, struct last_segment last[LAST_SEGMENTS])
{
    for (int i = 0; i < LAST_SEGMENTS; i++) {
        struct plain_last plain = {
            .whole = last[i],
            .packet = last_segment_packet(&last[i]),
            .end = (uint8_t)last_segment_end(&last[i]),
            .hashed = last_segment_hashed(&last[i]),
            .flags = last_segment_flags(&last[i]),
        };
        carry_fields(carry, plain_last_fields, &plain);
        last[i] = plain.whole;
        last[i].marks = last_segment_marks(plain.packet, plain.end, plain.hashed, plain.flags);
    }
}

void embryo_carry(struct carry *carry, struct embryo *embryo)
{
    struct plain_embryo plain = {
        .whole = *embryo,
        .checksum_verdict = embryo->checksum_verdict,
        .end = embryo->end,
        .cut = embryo->cut,
        .vlans = embryo->vlans,
    };
    carry_fields(carry, plain_embryo_fields, &plain);
    *embryo = plain.whole;
    embryo->checksum_verdict = plain.checksum_verdict & 3;
    embryo->end = plain.end & 1;
    embryo->cut = plain.cut;
    embryo->vlans = plain.vlans;
}

uint32_t tombstones_carry(struct carry *carry, struct tombstone **list)
{
    uint32_t held = 0;
    for (const struct tombstone *old = *list; old != NULL; old = old->next)
        held++;
    uint32_t count = carry_count(carry, held, MOST_TOMBSTONES);
    for (uint32_t i = 0; i < count; i++) {
        struct tombstone *tombstone =
            carry_optional(carry, *list, sizeof(*tombstone), tombstone_fields);
        if (tombstone == NULL)
            return i;
        *list = tombstone;
        carry_lasts(carry, tombstone->last);
        list = &tombstone->next;
    }
    return count;
}

void incarnation_carry(struct carry *carry, struct incarnation *incarnation)
{
    connection_carry(carry, &incarnation->connection);
    carry_fields(carry, incarnation_fields, incarnation);
    carry_lasts(carry, incarnation->last);
    incarnation->around = carry_optional(carry, incarnation->around, sizeof(*incarnation->around),
                                         encapsulation_fields);
    incarnation->collision = carry_optional(carry, incarnation->collision,
                                            sizeof(*incarnation->collision), collision_fields);
    incarnation->story =
        carry_optional(carry, incarnation->story, sizeof(*incarnation->story), story_fields);
    incarnation->doubts =
        carry_optional(carry, incarnation->doubts, sizeof(*incarnation->doubts), doubts_fields);
    incarnation->icmp =
        carry_optional(carry, incarnation->icmp, sizeof(*incarnation->icmp), icmp_story_fields);
}
