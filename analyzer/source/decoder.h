/*
 * decoder: a compressed file, unpacked piece by piece.  One decoder per compression, each over a
 * library that a build may lack; decoders.c is the list.
 */
#ifndef LASTACK_SOURCE_DECODER_H
#define LASTACK_SOURCE_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one call may read and write; both sides move forward by what was used. */
struct decoder_span {
    const uint8_t *in;
    size_t in_left;
    bool in_ended; /* nothing comes after in */
    uint8_t *out;
    size_t out_left;
    const char *reason; /* set on DECODER_DAMAGED: the library's words, static */
};

enum decoder_result {
    DECODER_INSIDE,  /* in the middle of a member: more must come */
    DECODER_BETWEEN, /* all members so far are whole: the input may end here, or another begin */
    DECODER_DAMAGED, /* what was written to out before the damage is good */
};

struct decoder_type {
    void *(*open)(void); /* NULL: no memory */
    enum decoder_result (*decode)(void *state, struct decoder_span *span);
    void (*free)(void *state);
};

extern const struct decoder_type decoder_gzip;
extern const struct decoder_type decoder_zstd;
extern const struct decoder_type decoder_lz4;
extern const struct decoder_type decoder_xz;

struct decoder {
    const char *name;    /* "gzip" */
    const char *library; /* what a build needs to unpack it */
    const char *command; /* unpacks it to standard output without us */
    uint8_t magic[6];    /* how such a file begins */
    uint8_t magic_size;
    uint8_t first_mask;              /* of magic[0]: which bits count */
    const struct decoder_type *type; /* NULL: built without the library */
};

/* The row whose magic the octets begin with, or NULL: not compressed, as far as is known. */
const struct decoder *decoder_recognise(const uint8_t *octets, size_t size);

#endif
