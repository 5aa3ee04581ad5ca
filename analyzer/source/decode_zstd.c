/*
 * decode_zstd: Zstandard (RFC 8878) by libzstd, several frames and skippable frames included.
 *
 * When ZSTD_decompressStream fails it forgets what the same call had already written.  So it is
 * given one block at a time: then whatever precedes a broken block has been handed on before.  Nor
 * is what begins no frame left to it: given octet by octet, it takes the rest for a frame of the
 * formats before RFC 8878 if that looks like one.
 */
#include "decoder.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { BLOCK_HEADER_SIZE = 3, MAGIC_SIZE = 4 }; /* RFC 8878 sections 3.1.1.2, 3.1.1 */

static const uint8_t frame_magic[MAGIC_SIZE] = {0x28, 0xb5, 0x2f, 0xfd};
static const uint8_t skippable_magic[MAGIC_SIZE] = {0x50, 0x2a, 0x4d, 0x18}; /* to 0x5f */

struct zstd {
    ZSTD_DStream *stream;
    size_t wanted; /* the library's hint: the block's rest and the next header; 0: between frames */
    uint8_t begun; /* octets of the frame's magic number that were given */
    bool skippable; /* which one that is */
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
    size_t piece = zstd->begun < MAGIC_SIZE ? 1 : zstd->wanted;
    if (piece > BLOCK_HEADER_SIZE)
        piece -= BLOCK_HEADER_SIZE;
    return piece < in_left ? piece : in_left;
}

/* Whether the octet is the next one of a frame's magic number. */
static bool zstd_may_begin(const struct zstd *zstd, uint8_t octet)
{
    if (zstd->begun == 0)
        return octet == frame_magic[0] || (octet & 0xf0) == skippable_magic[0];
    return octet == (zstd->skippable ? skippable_magic : frame_magic)[zstd->begun];
}

/* Takes note of an octet of a magic number. */
static void zstd_note_begin(struct zstd *zstd, uint8_t octet)
{
    if (zstd->begun == 0)
        zstd->skippable = octet != frame_magic[0];
    zstd->begun++;
}

static enum decoder_result zstd_decode(void *state, struct decoder_span *span)
{
    struct zstd *zstd = state;
    if (zstd->wanted == 0 && span->in_left == 0)
        return DECODER_BETWEEN;

    if (zstd->wanted == 0)
        zstd->begun = 0;
    bool begins = zstd->begun < MAGIC_SIZE && span->in_left > 0;
    ZSTD_inBuffer in = {span->in, zstd_piece(zstd, span->in_left), 0};
    if (begins && !zstd_may_begin(zstd, span->in[0])) {
        span->reason = ZSTD_getErrorString(ZSTD_error_prefix_unknown);
        return DECODER_DAMAGED;
    }
    ZSTD_outBuffer out = {span->out, span->out_left, 0};
    size_t result = ZSTD_decompressStream(zstd->stream, &out, &in);
    if (begins && in.pos > 0)
        zstd_note_begin(zstd, span->in[0]);
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
