/* key: see key.h. */
#include "key.h"

#include <arpa/inet.h>
#include <string.h>

enum { KEY_WORDS = sizeof(struct flow_key) / sizeof(uint64_t) };

_Static_assert(sizeof(struct flow_key) == 40, "a key is five words without padding");

static inline uint32_t first_four(const uint8_t address[16])
{
    uint32_t word;
    memcpy(&word, address, sizeof(word));
    return word;
}

/* Less than 0, 0, more than 0: the addresses as octets; of IPv4, the four that there are. */
static inline int compare_addresses(const struct segment *segment)
{
    if (segment->ip_version != 4)
        return memcmp(segment->source, segment->destination, 16);
    uint32_t source = ntohl(first_four(segment->source));
    uint32_t destination = ntohl(first_four(segment->destination));
    return (source > destination) - (source < destination);
}

static inline int key_of(const struct segment *segment, struct flow_key *ret_key)
{
    int order = compare_addresses(segment);
    if (order == 0)
        order = (int)segment->source_port - (int)segment->destination_port;
    int from = order > 0;
    memcpy(ret_key->address[from], segment->source, 16);
    memcpy(ret_key->address[1 - from], segment->destination, 16);
    ret_key->port[from] = segment->source_port;
    ret_key->port[1 - from] = segment->destination_port;
    ret_key->ip_version = segment->ip_version;
    memset(ret_key->context, 0, sizeof(ret_key->context));
    return from;
}

int flow_key_of(const struct segment *segment, struct flow_key *ret_key)
{
    return key_of(segment, ret_key);
}

/* Of an IPv4 key the zeros are left out: two words instead of five. */
static inline uint64_t hash_of(struct hash_key secret, const struct flow_key *key)
{
    uint64_t words[KEY_WORDS];
    memcpy(words, key, sizeof(words));
    if (key->ip_version != 4)
        return hash_words(secret, words, KEY_WORDS);
    uint64_t addresses = first_four(key->address[0]) | (uint64_t)first_four(key->address[1]) << 32;
    return hash_two_words(secret, addresses, words[KEY_WORDS - 1]);
}

uint64_t flow_key_hash(struct hash_key secret, const struct flow_key *key)
{
    return hash_of(secret, key);
}

int flow_key_identify(struct hash_key secret, const struct segment *segment, uint32_t context,
                      struct flow_key *ret_key, uint64_t *ret_hash)
{
    int end = key_of(segment, ret_key);
    if (context != 0)
        memcpy(ret_key->context, &context, sizeof(ret_key->context));
    *ret_hash = hash_of(secret, ret_key);
    return end;
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

enum { CONTEXT_BITS = 24, CONTEXT_MASK = (1 << CONTEXT_BITS) - 1, VLAN_BITS = 12 };

/* One bit of a hash is always set, so that no context is taken for none. */
static uint32_t fold(const uint64_t *words, size_t count)
{
    return (uint32_t)(hash_identity(words, count) & CONTEXT_MASK) | 1u << (CONTEXT_BITS - 1);
}

static uint32_t vlan_context(const struct segment *segment)
{
    if (segment->vlans <= 2)
        return (segment->vlans > 0 ? segment->vlan[0] : 0u) |
               (segment->vlans > 1 ? (uint32_t)segment->vlan[1] << VLAN_BITS : 0u);
    uint64_t words[1] = {0};
    for (int i = 0; i < segment->vlans; i++)
        words[0] = words[0] << 16 | segment->vlan[i];
    return fold(words, 1);
}

/* Whether the number of such a tunnel is the same in both directions. */
static bool is_shared(enum tunnel_kind kind)
{
    return kind == TUNNEL_VXLAN || kind == TUNNEL_GENEVE || kind == TUNNEL_GRE;
}

static uint32_t tunnel_context(const struct segment *segment)
{
    const struct encapsulation *around = &segment->around;
    if (around->tunnels == 0)
        return 0;
    int last = around->tunnels - 1;
    uint32_t id = around->id[last];
    if (is_shared((enum tunnel_kind)around->kind[last]) && id != 0) {
        uint64_t words[1] = {id};
        return id <= CONTEXT_MASK ? id : fold(words, 1);
    }
    uint64_t words[5] = {around->kind[last], 0, 0, 0, 0};
    bool swapped = memcmp(around->source, around->destination, 16) > 0;
    memcpy(&words[1], swapped ? around->destination : around->source, 16);
    memcpy(&words[3], swapped ? around->source : around->destination, 16);
    return fold(words, 5);
}

uint32_t flow_key_context(const struct segment *segment, bool vlans, bool tunnels)
{
    uint32_t vlan = vlans ? vlan_context(segment) : 0;
    uint32_t tunnel = tunnels ? tunnel_context(segment) : 0;
    if (vlan == 0 || tunnel == 0)
        return vlan | tunnel;
    uint64_t words[1] = {(uint64_t)vlan << 32 | tunnel};
    return fold(words, 1);
}
