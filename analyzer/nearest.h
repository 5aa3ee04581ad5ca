/* nearest: which known word someone may have meant. */
#ifndef LASTACK_NEAREST_H
#define LASTACK_NEAREST_H

#include <stddef.h>

/*
 * Returns a score, the lower the nearer: the number of single letters to insert, delete or change
 * to make word into known; 0 when they are equal.  Words longer than 63 letters are SIZE_MAX apart.
 */
size_t nearest_distance(const char *word, const char *known);

/*
 * The first of the words that next(i) yields for i from 0 on, until NULL, with the smallest
 * distance to word; NULL when even that one is too far to be what was meant.
 */
const char *nearest_word(const char *word, const char *(*next)(size_t index));

#endif
