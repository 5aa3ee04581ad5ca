/*
 * carry: values between memory and a state file, one piece of code for both ways.
 *
 * A carry writes or reads.  The same calls in the same order do either, so what is read is what was
 * written; a table of fields says once for both ways what of a struct is carried:
 *
 *     "lastack state\n" | version | body ... | checksum of all before it, 8 octets
 *
 * Numbers are little-endian base 128 (signed ones folded, so that -1 is 1), so a file does not
 * depend on how a build lays its structs out.  A table's first use writes a hash of its rows: a
 * build with other rows is told apart.  The first failure stays, and reading gives zeros from then
 * on; whoever acts on what was read asks carry_is_sound() before.
 */
#ifndef LASTACK_BASE_CARRY_H
#define LASTACK_BASE_CARRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "status.h"

struct carry;

enum carry_kind {
    CARRY_NUMBER, /* unsigned, of any width */
    CARRY_SIGNED, /* the same with a sign */
    CARRY_OCTETS, /* as they stand */
    CARRY_PARTS,  /* structs with a table of their own */
};

/* A row: one member, or all elements of one that is an array of any dimensions. */
struct carry_field {
    const char *name;
    size_t offset, width, count; /* width of an element, in octets */
    uint64_t most; /* CARRY_NUMBER: what it can be at most; CARRY_SIGNED: 1: a time that is known */
    enum carry_kind kind;
    const struct carry_field *parts; /* CARRY_PARTS */
};

/* Begins a state on the stream, which stays the caller's.  NULL when out of memory. */
struct carry *carry_write(FILE *stream);

/*
 * Reads a state: first all of it, for its checksum, then from the start.  The stream must be one
 * that can be read again.  On failure returns UNREADABLE, with the reason in one line (MESSAGE_SIZE
 * octets) to be put behind the file's name, or NO_MEMORY.
 */
enum status carry_read(FILE *stream, struct carry **ret_carry, char *message);

bool carry_is_reading(const struct carry *carry);

/* False after the first failure; reading, also when more was asked for than there is. */
bool carry_is_sound(const struct carry *carry);

/* Notes a failure that is the caller's to see: memory ran out, or what was read cannot be. */
void carry_fail(struct carry *carry, enum status status);

/* A number that is at most `most`; a flag; octets as they stand; the rows of a table. */
void carry_number(struct carry *carry, uint64_t *number, uint64_t most);
void carry_signed(struct carry *carry, int64_t *number);
void carry_flag(struct carry *carry, bool *flag);
void carry_octets(struct carry *carry, void *octets, size_t count);
void carry_fields(struct carry *carry, const struct carry_field *fields, void *object);

/*
 * A count of what follows, an octet each at least: given back as it is, or as it was when it was
 * written.  Read, it is no more than octets are left, so that a small file makes no large room.
 */
uint32_t carry_count(struct carry *carry, uint32_t count, uint32_t most);

/* The same of a count that a table of fields has read: false, and a failure, where it lies. */
bool carry_count_fits(struct carry *carry, uint64_t count);

/*
 * What may be absent, then NULL.  Read, it is new memory of `size` octets, owned by the caller;
 * what of it is not in the table is zero.
 */
void *carry_optional(struct carry *carry, void *block, size_t size,
                     const struct carry_field *fields);

/*
 * The rows of a table as octets in memory, without a header.  Packing returns how many they are, 0
 * when there is no room for them; unpacking how many were read, 0 when they cannot be.
 */
size_t carry_pack(const struct carry_field *fields, void *object, uint8_t *octets, size_t room);
size_t carry_unpack(const struct carry_field *fields, void *object, const uint8_t *octets,
                    size_t count);

/* A string that may be NULL, of less than MESSAGE_SIZE octets unless most says more; read, it is
 * new memory. */
char *carry_text(struct carry *carry, const char *text, size_t most);

/* Reading: the place reached, and going back there to read once more. */
struct carry_mark {
    uint64_t left;
    uint32_t tables;
};

struct carry_mark carry_mark(const struct carry *carry);
void carry_rewind(struct carry *carry, struct carry_mark mark);

/*
 * The end.  Writing: writes the checksum; WRITE when something could not be written (errno says
 * why).  Reading: UNREADABLE when not all was read, or it could not be.  NO_MEMORY for either.
 */
enum status carry_end(struct carry *carry);

void carry_free(struct carry *carry); /* accepts NULL */

#endif
