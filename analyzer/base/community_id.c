/*
 * community_id: base64 of the SHA-1 of
 *
 *   seed (2 octets) | lower address | higher address | protocol | 0 | lower port | higher port
 *
 * where "lower" is the end whose address, and with equal addresses whose port, sorts first.
 */
#include "community_id.h"

#include <stdbool.h>
#include <string.h>

#include <nettle/base64.h>
#include <nettle/sha1.h>

enum { TUPLE_MAX = 2 + 16 + 16 + 2 + 4 };

static bool comes_first(struct community_end a, struct community_end b, size_t address_size)
{
    int order = memcmp(a.address, b.address, address_size);
    return order < 0 || (order == 0 && a.port <= b.port);
}

static uint8_t *put_octets(uint8_t *out, const void *octets, size_t count)
{
    memcpy(out, octets, count);
    return out + count;
}

static uint8_t *put_port(uint8_t *out, uint16_t port)
{
    const uint8_t octets[2] = {(uint8_t)(port >> 8), (uint8_t)port};
    return put_octets(out, octets, sizeof(octets));
}

void community_id_tcp(uint8_t ip_version, struct community_end a, struct community_end b,
                      char ret_text[COMMUNITY_ID_SIZE])
{
    static const uint8_t seed[2] = {0, 0};
    static const uint8_t protocol[2] = {COMMUNITY_ID_TCP, 0};
    size_t address_size = ip_version == 4 ? 4 : 16;
    struct community_end lower = comes_first(a, b, address_size) ? a : b;
    struct community_end higher = comes_first(a, b, address_size) ? b : a;

    uint8_t tuple[TUPLE_MAX];
    uint8_t *end = put_octets(tuple, seed, sizeof(seed));
    end = put_octets(end, lower.address, address_size);
    end = put_octets(end, higher.address, address_size);
    end = put_octets(end, protocol, sizeof(protocol));
    end = put_port(end, lower.port);
    end = put_port(end, higher.port);

    struct sha1_ctx context;
    uint8_t digest[SHA1_DIGEST_SIZE];
    sha1_init(&context);
    sha1_update(&context, (size_t)(end - tuple), tuple);
    sha1_digest(&context, sizeof(digest), digest);

    memcpy(ret_text, "1:", 2);
    base64_encode_raw(ret_text + 2, sizeof(digest), digest);
    ret_text[COMMUNITY_ID_SIZE - 1] = '\0';
}
