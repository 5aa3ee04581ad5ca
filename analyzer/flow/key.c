/* key: see key.h. */
#include "key.h"

#include <string.h>

enum { KEY_WORDS = sizeof(struct flow_key) / sizeof(uint64_t) };

_Static_assert(sizeof(struct flow_key) == 40, "a key is five words without padding");

int flow_key_of(const struct segment *segment, struct flow_key *ret_key)
{
    int order = memcmp(segment->source, segment->destination, 16);
    if (order == 0)
        order = (int)segment->source_port - (int)segment->destination_port;
    int from = order > 0;
    memset(ret_key, 0, sizeof(*ret_key));
    memcpy(ret_key->address[from], segment->source, 16);
    memcpy(ret_key->address[1 - from], segment->destination, 16);
    ret_key->port[from] = segment->source_port;
    ret_key->port[1 - from] = segment->destination_port;
    ret_key->ip_version = segment->ip_version;
    return from;
}

uint64_t flow_key_hash(struct hash_key secret, const struct flow_key *key)
{
    uint64_t words[KEY_WORDS];
    memcpy(words, key, sizeof(words));
    return hash_words(secret, words, KEY_WORDS);
}

uint64_t flow_key_uid(const struct flow_key *key, int client_end, uint32_t isn, int64_t first_ns)
{
    uint64_t words[KEY_WORDS + 2];
    memcpy(words, key, sizeof(*key));
    words[KEY_WORDS] = ((uint64_t)isn << 1) | (uint64_t)client_end;
    words[KEY_WORDS + 1] = (uint64_t)first_ns;
    uint64_t uid = hash_identity(words, KEY_WORDS + 2);
    return uid == 0 ? 1 : uid;
}
