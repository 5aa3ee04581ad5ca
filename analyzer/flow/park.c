/* park: see park.h. */
#include "park.h"

#include <stdlib.h>
#include <string.h>

enum {
    WORD = 8,
    FROM_BASE = 0x10,
    INCARNATION_WORDS = sizeof(struct incarnation) / WORD,
    CLOSING_WORDS = sizeof(struct closing) / WORD,
    MOST = (INCARNATION_WORDS + CLOSING_WORDS) * (WORD + 1) + WORD /* octets at the very most */
};

_Static_assert(sizeof(struct incarnation) % WORD == 0, "parked by words");
_Static_assert(sizeof(struct closing) % WORD == 0, "parked by words");

static unsigned significant(uint64_t word)
{
    return word == 0 ? 0 : (unsigned)(71 - __builtin_clzll(word)) / 8;
}

static uint8_t *put_word(uint8_t *out, uint64_t word, uint64_t base)
{
    unsigned plain = significant(word), apart = significant(word - base);
    uint64_t kept = apart < plain ? word - base : word;
    unsigned octets = apart < plain ? apart : plain;
    *out++ = (uint8_t)(apart < plain ? FROM_BASE | octets : octets);
    memcpy(out, &kept, WORD);
    return out + octets;
}

static uint8_t *put_words(uint8_t *out, const void *from, unsigned words, uint64_t base)
{
    const uint8_t *in = from;
    unsigned zeros = 0;
    for (unsigned i = 0; i <= words; i++) {
        uint64_t word = 1;
        if (i < words)
            memcpy(&word, in + (size_t)i * WORD, WORD);
        if (word == 0 && zeros < UINT8_MAX) {
            zeros++;
            continue;
        }
        if (zeros > 0) {
            *out++ = 0;
            *out++ = (uint8_t)zeros;
            zeros = word == 0;
        }
        if (i < words && word != 0)
            out = put_word(out, word, base);
    }
    return out;
}

static const uint8_t *get_words(const uint8_t *in, void *to, unsigned words, uint64_t base)
{
    uint8_t *out = to;
    memset(out, 0, (size_t)words * WORD);
    for (unsigned i = 0; i < words;) {
        uint8_t tag = *in++;
        if (tag == 0) {
            i += *in++;
            continue;
        }
        uint64_t word = 0;
        unsigned octets = tag & (FROM_BASE - 1);
        memcpy(&word, in, octets);
        in += octets;
        word += (tag & FROM_BASE) != 0 ? base : 0;
        memcpy(out + (size_t)i++ * WORD, &word, WORD);
    }
    return in;
}

bool park_fits(const struct incarnation *incarnation)
{
    const struct connection *connection = &incarnation->connection;
    return connection->history.more == NULL && !incarnation->final_ack.open &&
           !incarnation->hazard.open &&
           (incarnation->collision == NULL || incarnation->collision->decided);
}

struct parked *park_incarnation(const struct incarnation *incarnation)
{
    struct incarnation bare = *incarnation;
    uint8_t words[MOST];
    uint64_t base = (uint64_t)incarnation->connection.started;
    bare.collision = NULL;
    bare.connection.closing = NULL;
    memset(bare.connection.recent, 0, sizeof(bare.connection.recent));
    memcpy(words, &base, WORD);
    uint8_t *end = put_words(words + WORD, &bare, INCARNATION_WORDS, base);
    const struct closing *closing = incarnation->connection.closing;
    if (closing != NULL)
        end = put_words(end, closing, CLOSING_WORDS, base);
    size_t octets = (size_t)(end - words);
    struct parked *parked = malloc(sizeof(*parked) + octets);
    if (parked == NULL)
        return NULL;
    parked->first_packet = incarnation->first_packet;
    parked->octets = (uint32_t)octets;
    parked->closing = closing != NULL;
    memcpy(parked->word, words, octets);
    return parked;
}

bool park_restore(const struct parked *parked, struct incarnation *incarnation)
{
    struct closing *closing = NULL;
    uint32_t index = incarnation->index;
    uint64_t base;
    if (parked->closing) {
        closing = malloc(sizeof(*closing));
        if (closing == NULL)
            return false;
    }
    memcpy(&base, parked->word, WORD);
    const uint8_t *in = get_words(parked->word + WORD, incarnation, INCARNATION_WORDS, base);
    if (closing != NULL)
        get_words(in, closing, CLOSING_WORDS, base);
    incarnation->connection.closing = closing;
    incarnation->index = index;
    return true;
}
