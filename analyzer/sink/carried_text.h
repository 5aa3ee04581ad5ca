/*
 * carried_text: what a state holds ready to be written, looked at before it is.
 *
 * A checksum tells damage, not forgery: whoever writes a state knows how to compute it.  What goes
 * out as it came in must be what this program would have written.
 */
#ifndef LASTACK_SINK_CARRIED_TEXT_H
#define LASTACK_SINK_CARRIED_TEXT_H

#include <stdbool.h>

/* One JSON object, and nothing behind it (RFC 8259). */
bool carried_text_is_object(const char *text);

/* Lines for people, in which a terminal obeys nothing but colours. */
bool carried_text_is_prose(const char *text);

#endif
