/*
 * decode_gzip: gzip (RFC 1952) by zlib.  A file may be several members one after the other, as
 * `cat a.gz b.gz` and bgzip make it; zero octets after a member are padding, as gzip itself holds.
 */
#include "decoder.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { WINDOW_BITS_GZIP_ONLY = MAX_WBITS + 16 };

struct gzip {
    z_stream zlib;
    bool between; /* the last member is whole */
};

static void *gzip_open(void)
{
    struct gzip *gzip = calloc(1, sizeof *gzip);
    if (gzip == NULL)
        return NULL;
    if (inflateInit2(&gzip->zlib, WINDOW_BITS_GZIP_ONLY) != Z_OK) {
        free(gzip);
        return NULL;
    }
    return gzip;
}

static void gzip_skip_padding(struct decoder_span *span)
{
    while (span->in_left > 0 && *span->in == 0) {
        span->in++;
        span->in_left--;
    }
}

static uInt gzip_clamp(size_t size)
{
    return size > UINT_MAX ? UINT_MAX : (uInt)size;
}

static int gzip_inflate(z_stream *zlib, struct decoder_span *span)
{
    zlib->next_in = (Bytef *)(uintptr_t)span->in; /* zlib's type lacks the const; it only reads */
    zlib->avail_in = gzip_clamp(span->in_left);
    zlib->next_out = span->out;
    zlib->avail_out = gzip_clamp(span->out_left);
    int result = inflate(zlib, Z_NO_FLUSH);
    span->in_left -= (size_t)(zlib->next_in - span->in);
    span->in = zlib->next_in;
    span->out_left -= (size_t)(zlib->next_out - span->out);
    span->out = zlib->next_out;
    return result;
}

static enum decoder_result gzip_decode(void *state, struct decoder_span *span)
{
    struct gzip *gzip = state;
    if (gzip->between) {
        gzip_skip_padding(span);
        if (span->in_left == 0)
            return DECODER_BETWEEN;
        if (inflateReset(&gzip->zlib) != Z_OK)
            return DECODER_DAMAGED;
        gzip->between = false;
    }

    int result = gzip_inflate(&gzip->zlib, span);
    if (result == Z_STREAM_END) {
        gzip->between = true;
        return DECODER_BETWEEN;
    }
    if (result == Z_OK || result == Z_BUF_ERROR) /* the second: no room or no input, not damage */
        return DECODER_INSIDE;
    span->reason = gzip->zlib.msg != NULL ? gzip->zlib.msg : zError(result);
    return DECODER_DAMAGED;
}

static void gzip_free(void *state)
{
    struct gzip *gzip = state;
    inflateEnd(&gzip->zlib);
    free(gzip);
}

const struct decoder_type decoder_gzip = {gzip_open, gzip_decode, gzip_free};
