/*
 * escape: text from outside (file names, what a file begins with, what a library says) made fit
 * for a message: one line, nothing that moves a terminal's cursor.
 */
#ifndef LASTACK_SOURCE_ESCAPE_H
#define LASTACK_SOURCE_ESCAPE_H

#include <stddef.h>
#include <stdint.h>

enum { ESCAPE_NAME_SIZE = 256 }; /* octets for a name in a message, NUL included */

/*
 * Writes name to ret_text (of size octets, at least 8), NUL-terminated.  Control characters and
 * what is not UTF-8 become \xNN; a name that does not fit ends in "...".
 */
void escape_name(const char *name, char *ret_text, size_t size);

/* The same for count octets of which nothing is known: all but printable ASCII becomes \xNN. */
void escape_octets(const uint8_t *octets, size_t count, char *ret_text, size_t size);

#endif
