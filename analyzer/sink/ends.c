/* ends: see ends.h. */
#include "ends.h"

#include <string.h>

enum { END_WORDS = 3 }; /* address and port */

bool ends_is_same(const struct endpoint_record *a, const struct endpoint_record *b)
{
    return a->port == b->port && memcmp(a->address, b->address, sizeof a->address) == 0;
}

static bool is_same_context(const struct flow_identity *a, const struct flow_identity *b)
{
    return a->ip_version == b->ip_version && a->vlans == b->vlans &&
           memcmp(a->vlan, b->vlan, a->vlans * sizeof a->vlan[0]) == 0 &&
           strcmp(a->tunnel, b->tunnel) == 0;
}

bool ends_match(const struct flow_identity *a, const struct flow_identity *b)
{
    if (!is_same_context(a, b))
        return false;
    return (ends_is_same(&a->end[0], &b->end[0]) && ends_is_same(&a->end[1], &b->end[1])) ||
           (ends_is_same(&a->end[0], &b->end[1]) && ends_is_same(&a->end[1], &b->end[0]));
}

/* What stands in order is combined without one. */
uint64_t ends_hash(struct hash_key key, const struct flow_identity *who)
{
    uint64_t sum = 0;
    for (int end = 0; end < 2; end++) {
        uint64_t words[END_WORDS];
        memcpy(words, who->end[end].address, sizeof who->end[end].address);
        words[2] = who->end[end].port;
        sum += hash_words(key, words, END_WORDS);
    }
    return sum;
}
