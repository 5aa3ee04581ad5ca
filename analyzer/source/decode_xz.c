/* decode_xz: the .xz format by liblzma, several streams and the padding between them included. */
#include "decoder.h"

#include <lzma.h>
#include <stdlib.h>

/* xz -9 needs 65 MiB to unpack; a file that claims more than this is refused, not obeyed. */
static const uint64_t memory_limit = UINT64_C(512) << 20;

struct xz {
    lzma_stream stream;
    bool ended; /* the library has seen the end of the last stream and of the input */
};

/* clang-format off */
static const struct {
    lzma_ret result;
    const char *reason;
} reasons[] = {
    {LZMA_MEM_ERROR,      "out of memory"},
    {LZMA_MEMLIMIT_ERROR, "it asks for more than 512 MiB of memory"},
    {LZMA_FORMAT_ERROR,   "something that is not xz follows"},
    {LZMA_OPTIONS_ERROR,  "it uses an option this liblzma does not know"},
    {LZMA_DATA_ERROR,     "the data contradicts its checksum or its form"},
};
/* clang-format on */

enum { REASONS = sizeof reasons / sizeof reasons[0] };

static void *xz_open(void)
{
    struct xz *xz = calloc(1, sizeof *xz);
    if (xz == NULL)
        return NULL;
    if (lzma_stream_decoder(&xz->stream, memory_limit, LZMA_CONCATENATED) != LZMA_OK) {
        free(xz);
        return NULL;
    }
    return xz;
}

static const char *xz_reason(lzma_ret result)
{
    for (size_t i = 0; i < REASONS; i++)
        if (reasons[i].result == result)
            return reasons[i].reason;
    return "liblzma refuses it";
}

static enum decoder_result xz_decode(void *state, struct decoder_span *span)
{
    struct xz *xz = state;
    if (xz->ended)
        return DECODER_BETWEEN;

    lzma_stream *stream = &xz->stream;
    stream->next_in = span->in;
    stream->avail_in = span->in_left;
    stream->next_out = span->out;
    stream->avail_out = span->out_left;
    lzma_ret result = lzma_code(stream, span->in_ended ? LZMA_FINISH : LZMA_RUN);
    span->in = stream->next_in;
    span->in_left = stream->avail_in;
    span->out = stream->next_out;
    span->out_left = stream->avail_out;

    if (result == LZMA_STREAM_END) {
        xz->ended = true;
        return DECODER_BETWEEN;
    }
    if (result == LZMA_OK || result == LZMA_BUF_ERROR) /* the second: nothing more to be had now */
        return DECODER_INSIDE;
    span->reason = xz_reason(result);
    return DECODER_DAMAGED;
}

static void xz_free(void *state)
{
    struct xz *xz = state;
    lzma_end(&xz->stream);
    free(xz);
}

const struct decoder_type decoder_xz = {xz_open, xz_decode, xz_free};
