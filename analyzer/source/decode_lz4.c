/*
 * decode_lz4: the LZ4 frame format by liblz4, several frames and skippable frames included.
 *
 * When LZ4F_decompress fails it does not say what the same call had already written.  So it is
 * given one block at a time: then whatever precedes a broken block has been handed on before.
 */
#include "decoder.h"

#include <lz4frame.h>
#include <stdlib.h>

enum { BLOCK_HEADER_SIZE = 4 }; /* a block begins with its size */

struct lz4 {
    LZ4F_dctx *context;
    size_t wanted; /* the library's hint: the block's rest and the next header; 0: between frames */
};

static void *lz4_open(void)
{
    struct lz4 *lz4 = calloc(1, sizeof *lz4);
    if (lz4 == NULL)
        return NULL;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&lz4->context, LZ4F_VERSION))) {
        free(lz4);
        return NULL;
    }
    return lz4;
}

/* How much to give now: the block, but not yet the header of the next. */
static size_t lz4_piece(const struct lz4 *lz4, size_t in_left)
{
    size_t piece = lz4->wanted;
    if (piece > BLOCK_HEADER_SIZE)
        piece -= BLOCK_HEADER_SIZE;
    if (piece == 0)
        piece = 1; /* between frames: the first octet of the next tells */
    return piece < in_left ? piece : in_left;
}

static enum decoder_result lz4_decode(void *state, struct decoder_span *span)
{
    struct lz4 *lz4 = state;
    if (lz4->wanted == 0 && span->in_left == 0)
        return DECODER_BETWEEN;

    size_t read = lz4_piece(lz4, span->in_left);
    size_t written = span->out_left;
    size_t result = LZ4F_decompress(lz4->context, span->out, &written, span->in, &read, NULL);
    if (LZ4F_isError(result)) {
        span->reason = LZ4F_getErrorName(result);
        return DECODER_DAMAGED;
    }
    span->in += read;
    span->in_left -= read;
    span->out += written;
    span->out_left -= written;
    lz4->wanted = result;
    return result == 0 ? DECODER_BETWEEN : DECODER_INSIDE;
}

static void lz4_free(void *state)
{
    struct lz4 *lz4 = state;
    LZ4F_freeDecompressionContext(lz4->context);
    free(lz4);
}

const struct decoder_type decoder_lz4 = {lz4_open, lz4_decode, lz4_free};
