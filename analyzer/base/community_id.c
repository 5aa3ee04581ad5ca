/*
 * community_id: base64 of the SHA-1 of
 *
 *   seed (2 octets) | lower address | higher address | protocol | 0 | lower port | higher port
 *
 * where "lower" is the end whose address, and with equal addresses whose port, sorts first.
 */
#include "community_id.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include <nettle/sha1.h>

enum { DIGEST_WORDS = SHA1_DIGEST_SIZE / 4 };
enum { LENGTH_AT = SHA1_BLOCK_SIZE - 2 }; /* of the octets hashed, in bits, are fewer than 2^16 */

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* As numbers addresses compare as their octets do. */
static bool comes_first(struct community_end a, struct community_end b, size_t size)
{
    uint32_t first, second;
    memcpy(&first, a.address, sizeof(first));
    memcpy(&second, b.address, sizeof(second));
    if (first != second)
        return be32toh(first) < be32toh(second);
    int order = memcmp(a.address, b.address, size);
    return order < 0 || (order == 0 && a.port <= b.port);
}

static uint8_t *put_address(uint8_t *out, const uint8_t *address, size_t size)
{
    if (size == 4)
        memcpy(out, address, 4);
    else
        memcpy(out, address, 16);
    return out + size;
}

static uint8_t *put_port(uint8_t *out, uint16_t port)
{
    *out++ = (uint8_t)(port >> 8);
    *out++ = (uint8_t)port;
    return out;
}

/* What is hashed fits into one block, zeroed, with what ends it (RFC 3174, 4). */
static void hash_block(uint8_t block[SHA1_BLOCK_SIZE], uint8_t *end, uint32_t digest[DIGEST_WORDS])
{
    struct sha1_ctx context;
    size_t bits = 8 * (size_t)(end - block);
    *end = 0x80;
    put_port(block + LENGTH_AT, (uint16_t)bits);
    sha1_init(&context);
    nettle_sha1_compress(context.state, block);
    memcpy(digest, context.state, DIGEST_WORDS * sizeof(digest[0]));
}

/* Four letters of base64 (RFC 4648, 4) for 24 bits. */
static inline char *put_letters(char *out, uint32_t bits)
{
    out[0] = letters[bits >> 18];
    out[1] = letters[bits >> 12 & 0x3f];
    out[2] = letters[bits >> 6 & 0x3f];
    out[3] = letters[bits & 0x3f];
    return out + 4;
}

/* By 96 bits: three words, four times 24 bits; of the last 24, eight there are not. */
static void put_digest(char *out, const uint32_t digest[DIGEST_WORDS])
{
    const uint32_t *d = digest;
    out = put_letters(out, d[0] >> 8);
    out = put_letters(out, (d[0] & 0xff) << 16 | d[1] >> 16);
    out = put_letters(out, (d[1] & 0xffff) << 8 | d[2] >> 24);
    out = put_letters(out, d[2] & 0xffffff);
    out = put_letters(out, d[3] >> 8);
    out = put_letters(out, (d[3] & 0xff) << 16 | d[4] >> 16);
    out = put_letters(out, (d[4] & 0xffff) << 8);
    memcpy(out - 1, "=", 2);
}

void community_id_tcp(uint8_t ip_version, struct community_end a, struct community_end b,
                      char ret_text[COMMUNITY_ID_SIZE])
{
    uint8_t block[SHA1_BLOCK_SIZE] = {0}; /* it begins with the seed, two zeroes */
    uint32_t digest[DIGEST_WORDS];
    size_t size = ip_version == 4 ? 4 : 16;
    bool in_order = comes_first(a, b, size);
    struct community_end lower = in_order ? a : b;
    struct community_end higher = in_order ? b : a;

    uint8_t *end = put_address(block + 2, lower.address, size);
    end = put_address(end, higher.address, size);
    *end++ = COMMUNITY_ID_TCP;
    *end++ = 0;
    end = put_port(end, lower.port);
    end = put_port(end, higher.port);
    hash_block(block, end, digest);

    memcpy(ret_text, "1:", 2);
    put_digest(ret_text + 2, digest);
}
