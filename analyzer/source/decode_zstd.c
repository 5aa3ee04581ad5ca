/*
 * decode_zstd: Zstandard (RFC 8878) by libzstd, several frames and skippable frames included.
 *
 * When ZSTD_decompressStream fails it forgets what the same call had already written.  So it is
 * given one block at a time: then whatever precedes a broken block has been handed on before.
 */
#include "decoder.h"

#include <stdlib.h>
#include <zstd.h>

enum { BLOCK_HEADER_SIZE = 3 }; /* RFC 8878 section 3.1.1.2 */

struct zstd {
    ZSTD_DStream *stream;
    size_t wanted; /* the library's hint: the block's rest and the next header; 0: between frames */
};

static void *zstd_open(void)
{
    struct zstd *zstd = calloc(1, sizeof *zstd);
    if (zstd == NULL)
        return NULL;
    zstd->stream = ZSTD_createDStream();
    if (zstd->stream == NULL) {
        free(zstd);
        return NULL;
    }
    return zstd;
}

/* How much to give now: the block, but not yet the header of the next. */
static size_t zstd_piece(const struct zstd *zstd, size_t in_left)
{
    size_t piece = zstd->wanted;
    if (piece > BLOCK_HEADER_SIZE)
        piece -= BLOCK_HEADER_SIZE;
    if (piece == 0)
        piece = 1; /* between frames: the first octet of the next tells */
    return piece < in_left ? piece : in_left;
}

static enum decoder_result zstd_decode(void *state, struct decoder_span *span)
{
    struct zstd *zstd = state;
    if (zstd->wanted == 0 && span->in_left == 0)
        return DECODER_BETWEEN;

    ZSTD_inBuffer in = {span->in, zstd_piece(zstd, span->in_left), 0};
    ZSTD_outBuffer out = {span->out, span->out_left, 0};
    size_t result = ZSTD_decompressStream(zstd->stream, &out, &in);
    span->in += in.pos;
    span->in_left -= in.pos;
    span->out += out.pos;
    span->out_left -= out.pos;
    if (ZSTD_isError(result)) {
        span->reason = ZSTD_getErrorName(result);
        return DECODER_DAMAGED;
    }
    zstd->wanted = result;
    return result == 0 ? DECODER_BETWEEN : DECODER_INSIDE;
}

static void zstd_free(void *state)
{
    struct zstd *zstd = state;
    ZSTD_freeDStream(zstd->stream);
    free(zstd);
}

const struct decoder_type decoder_zstd = {zstd_open, zstd_decode, zstd_free};
