/* fragments_state: see fragments_state.h. */
#include "fragments_state.h"

#include <stdlib.h>

#include "../base/carry_rows.h"
#include "fragments_table.h"

#include "fragments_state.def"

/* Pieces stand in order, none on another, within the packet and the room there is for it. */
static bool is_in_order(const struct whole *whole, uint32_t index)
{
    const struct piece *piece = &whole->piece[index];
    uint32_t before = index == 0 ? 0 : whole->piece[index - 1].end;
    if (piece->offset < before || piece->offset > piece->end || piece->end > whole->room)
        return false;
    return piece->captured <= piece->end - piece->offset &&
           (whole->end == 0 || piece->end <= whole->end);
}

/* Of the payload, the octets that were captured of each piece. */
static void carry_data(struct carry *carry, struct whole *whole)
{
    if (carry_is_reading(carry))
        whole->data = calloc(1, FRAGMENTS_HEADER + (size_t)whole->room);
    if (whole->data == NULL) {
        carry_fail(carry, STATUS_NO_MEMORY);
        return;
    }
    for (uint32_t i = 0; i < whole->pieces; i++) {
        struct piece *piece = &whole->piece[i];
        carry_fields(carry, piece_fields, piece);
        if (!is_in_order(whole, i))
            carry_fail(carry, STATUS_UNREADABLE);
        if (!carry_is_sound(carry))
            return;
        carry_octets(carry, whole->data + FRAGMENTS_HEADER + piece->offset, piece->captured);
    }
}

static void carry_whole(struct carry *carry, struct whole *whole)
{
    bool has_data = whole->data != NULL;
    carry_fields(carry, whole_fields, whole);
    carry_flag(carry, &has_data);
    if (has_data)
        carry_data(carry, whole);
    else if (whole->pieces != 0 || whole->room != 0)
        carry_fail(carry, STATUS_UNREADABLE);
}

static void write_wholes(struct carry *carry, struct fragments *fragments)
{
    carry_count(carry, fragments->packets, UINT32_MAX);
    for (struct whole *whole = fragments->oldest; whole != NULL; whole = whole->younger)
        carry_whole(carry, whole);
}

static void read_wholes(struct carry *carry, struct fragments *fragments)
{
    uint32_t count = carry_count(carry, 0, UINT32_MAX);
    for (uint32_t i = 0; i < count && carry_is_sound(carry); i++) {
        struct whole *whole = calloc(1, sizeof(*whole));
        if (whole == NULL) {
            carry_fail(carry, STATUS_NO_MEMORY);
            return;
        }
        carry_whole(carry, whole);
        fragments_append(fragments, whole);
    }
}

void fragments_carry(struct carry *carry, struct fragments *fragments)
{
    carry_fields(carry, fragments_fields, fragments);
    if (carry_is_reading(carry))
        read_wholes(carry, fragments);
    else
        write_wholes(carry, fragments);
}
