/*
 * carry_rows: the words of the .def files that say what of a struct a state file holds (carry.h).
 *
 *     TABLE(hole_fields)              begins the table of that name
 *     NUMBER(hole, seq, left)         a member of struct hole, an unsigned number of type seq
 *     WITHIN(side, uint8_t, state, 9) the same, at most 9: an index into something
 *     FLAG(hazard, open)              a bool
 *     SIGNED(hole, nanotime, since)   a number of 64 bits with a sign
 *     MOMENT(packet_ref, nanotime, t) the same, a time that is known
 *     OCTETS(key, uint8_t, address)   as it stands
 *     PARTS(side, hole, hole, hole_fields)  a struct hole with a table of its own
 *     LEFT(history, more, "how")      not carried by the table, but otherwise
 *     END
 *
 * A member that is an array, of whatever dimensions, is carried with all its elements.
 */
#ifndef LASTACK_BASE_CARRY_ROWS_H
#define LASTACK_BASE_CARRY_ROWS_H

#include "carry.h"

/* clang-format off */
#define ROW(owner, type, member, limit, how, table)                                                \
    {#owner "." #member, offsetof(struct owner, member), sizeof(type),                             \
     sizeof(((struct owner *)NULL)->member) / sizeof(type), limit, how, table},

#define TABLE(name)                         const struct carry_field name[] = {
#define NUMBER(owner, type, member)         ROW(owner, type, member, UINT64_MAX, CARRY_NUMBER, NULL)
#define WITHIN(owner, type, member, limit)  ROW(owner, type, member, (uint64_t)(limit), CARRY_NUMBER, NULL)
#define FLAG(owner, member)                 ROW(owner, bool, member, 1, CARRY_NUMBER, NULL)
#define SIGNED(owner, type, member)         ROW(owner, type, member, 0, CARRY_SIGNED, NULL)
#define MOMENT(owner, type, member)         ROW(owner, type, member, 1, CARRY_SIGNED, NULL)
#define OCTETS(owner, type, member)         ROW(owner, type, member, 0, CARRY_OCTETS, NULL)
#define PARTS(owner, part, member, table)   ROW(owner, struct part, member, 0, CARRY_PARTS, table)
#define LEFT(owner, member, how)
#define END                                 {NULL, 0, 0, 0, 0, CARRY_NUMBER, NULL}};
/* clang-format on */

#endif
