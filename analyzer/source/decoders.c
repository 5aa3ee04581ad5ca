/*
 * decoders: the compressions that are recognised, by content and never by a file's name, and which
 * of them this build can unpack.  The only place that asks which libraries there are.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "decoder.h"

#ifdef HAVE_LIBZ
#define GZIP_TYPE &decoder_gzip
#else
#define GZIP_TYPE NULL
#endif

#ifdef HAVE_LIBZSTD
#define ZSTD_TYPE &decoder_zstd
#else
#define ZSTD_TYPE NULL
#endif

#ifdef HAVE_LIBLZ4
#define LZ4_TYPE &decoder_lz4
#else
#define LZ4_TYPE NULL
#endif

#ifdef HAVE_LIBLZMA
#define XZ_TYPE &decoder_xz
#else
#define XZ_TYPE NULL
#endif

/* clang-format off */
static const struct decoder decoders[] = {
    {"gzip", "zlib",    "gzip -dc", {0x1f, 0x8b},                         2, 0xff, GZIP_TYPE}, /* RFC 1952 */
    {"zstd", "libzstd", "zstd -dc", {0x28, 0xb5, 0x2f, 0xfd},             4, 0xff, ZSTD_TYPE}, /* RFC 8878 */
    {"zstd", "libzstd", "zstd -dc", {0x50, 0x2a, 0x4d, 0x18},             4, 0xf0, ZSTD_TYPE}, /* skippable frame first, as pzstd writes */
    {"lz4",  "liblz4",  "lz4 -dc",  {0x04, 0x22, 0x4d, 0x18},             4, 0xff, LZ4_TYPE},  /* the frame format */
    {"xz",   "liblzma", "xz -dc",   {0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00}, 6, 0xff, XZ_TYPE},
};
/* clang-format on */

enum { DECODERS = sizeof decoders / sizeof decoders[0] };

static bool decoder_matches(const struct decoder *decoder, const uint8_t *octets, size_t size)
{
    if (size < decoder->magic_size)
        return false;
    if ((octets[0] & decoder->first_mask) != decoder->magic[0])
        return false;
    for (size_t i = 1; i < decoder->magic_size; i++)
        if (octets[i] != decoder->magic[i])
            return false;
    return true;
}

const struct decoder *decoder_recognise(const uint8_t *octets, size_t size)
{
    for (size_t i = 0; i < DECODERS; i++)
        if (decoder_matches(&decoders[i], octets, size))
            return &decoders[i];
    return NULL;
}
