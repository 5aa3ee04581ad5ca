/*
 * format: texts for people, made as printf(3) makes them, where nearly all of a format is words,
 * whole numbers and strings: an event has a dozen of them.
 */
#ifndef LASTACK_BASE_FORMAT_H
#define LASTACK_BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* As vsnprintf(3), into size octets, NUL included, at least one; what does not fit is cut off. */
void format_put(char *out, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

#endif
