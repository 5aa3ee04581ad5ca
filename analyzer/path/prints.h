/* prints: what is remembered of packets (pair.h), compared. */
#ifndef LASTACK_PATH_PRINTS_H
#define LASTACK_PATH_PRINTS_H

#include "pair.h"

enum { LONES_IDS = 3 }; /* so many matches show that the path keeps IP identifications */

/* Sequence space that is left of it. */
seq print_end(const struct print *print);
bool print_occupies(const struct print *print);

/* Whether nothing that is remembered of the two differs. */
bool print_is_alike(const struct print *a, const struct print *b);

/* Whether what nobody but their sender chose shows that both are one: another sending of the same
 * octets has a new identification, and mostly a new timestamp. */
bool print_is_marked(const struct print *a, const struct print *b);

/* Whether they can be no two packets, in whichever order they were seen. */
bool print_is_unmistakable(const struct print *a, const struct print *b);

/* Whether both are the same packet, seen twice: `apart` ns lie between. */
bool print_is_copy(const struct print *a, const struct print *b, nanotime apart,
                   nanotime copy_window);

/* The same of what was seen at one place so long apart: not longer than a packet lives. */
bool print_is_old_copy(const struct print *a, const struct print *b, nanotime apart);

/* What of a packet never changes on the way, and tells transmissions of the same octets apart. */
bool print_may_be_same(const struct joint *joint, const struct print *a, const struct print *b);

/* How much speaks for two prints being one packet. */
int print_likeness(const struct print *a, const struct print *b);

/* What differs between two sightings of one segment: bits of enum crossing_change. */
uint8_t lones_compare(const struct lone *a, const struct lone *b);

#endif
