/* park: see park.h. */
#include "park.h"

#include <stdlib.h>
#include <string.h>

enum {
    WORD = 8,
    FROM_BASE = 0x10,
    INCARNATION_WORDS = sizeof(struct incarnation) / WORD,
    CLOSING_WORDS = sizeof(struct closing) / WORD,
    GROUP = 64, /* words whose mask is one word */
    GROUPS = (INCARNATION_WORDS + GROUP - 1) / GROUP + (CLOSING_WORDS + GROUP - 1) / GROUP,
    MOST = (INCARNATION_WORDS + CLOSING_WORDS) * (WORD + 1) + (GROUPS + 2) * WORD
};

_Static_assert(sizeof(struct incarnation) % WORD == 0, "parked by words");
_Static_assert(sizeof(struct closing) % WORD == 0, "parked by words");

/* Octets up to the highest that is not zero; the word is not 0. */
static inline unsigned significant(uint64_t word)
{
    return (unsigned)(71 - __builtin_clzll(word)) / 8;
}

static inline uint64_t read_word(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, WORD);
    return word;
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

/*
 * A bit for each word that is not zero.  Which are is not to be foretold, so there is no branch:
 * from the last word to the first it is a comparison and an addition with carry for each.
 */
static uint64_t find_words(const uint8_t *in, unsigned words)
{
    uint64_t zeros = 0;
    for (unsigned i = words; i-- > 0;)
        zeros = 2 * zeros + (read_word(in + (size_t)i * WORD) == 0);
    return ~zeros & (UINT64_MAX >> (GROUP - words));
}

static uint8_t *put_words(uint8_t *out, const void *from, unsigned words, uint64_t base)
{
    const uint8_t *in = from;
    for (unsigned start = 0; start < words; start += GROUP, in += GROUP * WORD) {
        unsigned rest = words - start;
        uint64_t mask = find_words(in, rest < GROUP ? rest : GROUP);
        memcpy(out, &mask, WORD);
        out += WORD;
        for (; mask != 0; mask &= mask - 1)
            out = put_word(out, read_word(in + (size_t)__builtin_ctzll(mask) * WORD), base);
    }
    return out;
}

/* Reads whole words, also past the end of what is parked: it has a word of room behind it. */
static const uint8_t *get_words(const uint8_t *in, void *to, unsigned words, uint64_t base)
{
    uint8_t *out = to;
    memset(out, 0, (size_t)words * WORD);
    for (unsigned start = 0; start < words; start += GROUP, out += GROUP * WORD) {
        uint64_t mask = read_word(in);
        in += WORD;
        for (; mask != 0; mask &= mask - 1) {
            uint8_t tag = *in++;
            unsigned octets = tag & (FROM_BASE - 1);
            uint64_t word = read_word(in) & (UINT64_MAX >> (64 - 8 * octets));
            word += base & (0 - (uint64_t)(tag >> 4));
            memcpy(out + (size_t)__builtin_ctzll(mask) * WORD, &word, WORD);
            in += octets;
        }
    }
    return in;
}

bool park_fits(const struct incarnation *incarnation)
{
    const struct connection *connection = &incarnation->connection;
    return connection->history.more == NULL && incarnation->story == NULL &&
           incarnation->icmp == NULL && incarnation->around == NULL &&
           !incarnation->final_ack.open && !incarnation->hazard.open &&
           (incarnation->collision == NULL || incarnation->collision->decided);
}

/* Of the memory against copies the latest half is enough: a copy comes within milliseconds. */
static void forget_recent(struct connection *connection)
{
    for (int i = 0; i < RECENT_PACKETS / 2; i++) {
        int oldest = (connection->recent_next + i) % RECENT_PACKETS;
        memset(&connection->recent[oldest], 0, sizeof(connection->recent[oldest]));
        connection->recent_print[oldest] = 0;
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
    for (int side = 0; side < SIDES; side++)
        parked->state[side] = (uint8_t)incarnation->connection.side[side].state;
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
