/* edits: octets that somebody with bad intent writes anew, by a script. */
#ifndef LASTACK_TESTS_EDITS_H
#define LASTACK_TESTS_EDITS_H

#include "program.h"
#include "script.h"

/*
 * Makes so many changes, four octets of the script each: a place, what is done there (an octet or a
 * bit changes, a number of seven bits an octet becomes an extreme one, octets go, come, or come
 * twice, or nothing follows), and with what.  The octets may be moved.
 */
void edits_make(struct script *script, unsigned count, struct octets *octets);

/*
 * The same of lines of JSON, five octets of the script a change: one of octets, one of the octets
 * that a tape or deltas hold, or another value for any member.
 */
void edits_make_json(struct script *script, unsigned count, struct octets *text);

/* Puts other octets into the place of `gone` ones; a zero stands behind them all. */
void edits_replace(struct octets *octets, size_t at, size_t gone, const uint8_t *come,
                   size_t count);

#endif
