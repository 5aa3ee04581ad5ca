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

/* Octets up to the highest that is not zero; the word is not 0. */
static inline unsigned significant(uint64_t word)
{
    return (unsigned)(71 - __builtin_clzll(word)) / 8;
}

static inline bool is_zero(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, WORD);
    return word == 0;
}

/* The shorter of the word and its distance from the base; chosen without a branch. */
static inline uint8_t *put_word(uint8_t *out, uint64_t word, uint64_t base)
{
    uint64_t away = word - base;
    unsigned plain = significant(word), apart = away == 0 ? 1 : significant(away);
    bool from_base = apart < plain;
    uint64_t kept = from_base ? away : word;
    unsigned octets = from_base ? apart : plain;
    *out = (uint8_t)(octets | (from_base ? FROM_BASE : 0));
    memcpy(out + 1, &kept, WORD);
    return out + 1 + octets;
}

static uint8_t *put_words(uint8_t *out, const void *from, unsigned words, uint64_t base)
{
    const uint8_t *in = from;
    unsigned i = 0;
    while (i < words) {
        uint64_t word;
        memcpy(&word, in + (size_t)i * WORD, WORD);
        if (word != 0) {
            out = put_word(out, word, base);
            i++;
            continue;
        }
        unsigned start = i;
        do
            i++;
        while (i < words && i - start < UINT8_MAX && is_zero(in + (size_t)i * WORD));
        *out++ = 0;
        *out++ = (uint8_t)(i - start);
    }
    return out;
}

/* Reads whole words, also past the end of what is parked: it has a word of room behind it. */
static const uint8_t *get_words(const uint8_t *in, void *to, unsigned words, uint64_t base)
{
    uint8_t *out = to;
    for (unsigned i = 0; i < words;) {
        uint8_t tag = *in++;
        if (tag == 0) {
            unsigned zeros = *in++;
            memset(out + (size_t)i * WORD, 0, (size_t)zeros * WORD);
            i += zeros;
            continue;
        }
        uint64_t word;
        unsigned octets = tag & (FROM_BASE - 1);
        memcpy(&word, in, WORD);
        word &= UINT64_MAX >> (64 - 8 * octets);
        word += base & (0 - (uint64_t)(tag >> 4));
        memcpy(out + (size_t)i++ * WORD, &word, WORD);
        in += octets;
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

/* Of the memory against copies the latest half is enough: a copy comes within milliseconds. */
static void forget_recent(struct connection *connection)
{
    for (int i = 0; i < RECENT_PACKETS / 2; i++) {
        int oldest = (connection->recent_next + i) % RECENT_PACKETS;
        memset(&connection->recent[oldest], 0, sizeof(connection->recent[oldest]));
    }
}

struct parked *park_incarnation(const struct incarnation *incarnation)
{
    struct incarnation bare = *incarnation;
    uint8_t words[MOST];
    uint64_t base = (uint64_t)incarnation->connection.started;
    bare.collision = NULL;
    bare.connection.closing = NULL;
    forget_recent(&bare.connection);
    memcpy(words, &base, WORD);
    uint8_t *end = put_words(words + WORD, &bare, INCARNATION_WORDS, base);
    const struct closing *closing = incarnation->connection.closing;
    if (closing != NULL)
        end = put_words(end, closing, CLOSING_WORDS, base);
    size_t octets = (size_t)(end - words);
    struct parked *parked = malloc(sizeof(*parked) + octets + WORD); /* get_words reads on */
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
