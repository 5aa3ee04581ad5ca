/* terminal: what the one who reads a stream can see: colours, columns, characters. */
#ifndef LASTACK_TERMINAL_H
#define LASTACK_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* Whether the stream is a terminal that shows colours, and nobody asked for none (NO_COLOR). */
bool terminal_has_colour(FILE *stream);

/* How wide the terminal is; 0: the stream is none. */
int terminal_columns(FILE *stream);

/* A picture that goes into a pipe or a file has the width that COLUMNS asks for; 0: none. */
int terminal_columns_asked(void);

/* Whether the locale's characters are UTF-8. */
bool terminal_is_utf8(void);

#endif
