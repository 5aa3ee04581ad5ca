/*
 * claim: what a fuzz target says must hold for any input.  A claim that does not hold ends the
 * program as a sanitizer would: with what was claimed, and abort().
 */
#ifndef LASTACK_TESTS_CLAIM_H
#define LASTACK_TESTS_CLAIM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CLAIM(holds, ...) claim_check((holds), __FILE__, __LINE__, #holds, __VA_ARGS__)

__attribute__((format(printf, 5, 6))) static inline void
claim_check(bool holds, const char *file, int line, const char *claim, const char *format, ...)
{
    va_list arguments;
    if (holds)
        return;
    fprintf(stderr, "%s:%d: does not hold: %s: ", file, line, claim);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

/* What every target defines; libFuzzer's interface, which replay.c serves, too. */
int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

#endif
