/* key: see key.h. */
#include "key.h"

#include <string.h>

enum { KEY_WORDS = sizeof(struct flow_key) / sizeof(uint64_t) };

_Static_assert(sizeof(struct flow_key) == 40, "a key is five words without padding");

static uint32_t context_of(const struct flow_key *key)
{
    return key->context[0] | (uint32_t)key->context[1] << 8 | (uint32_t)key->context[2] << 16;
}

int flow_key_identify_ip6(struct hash_key secret, const struct segment *segment, uint32_t context,
                          struct flow_key *ret_key, uint64_t *ret_hash)
{
    int order = memcmp(segment->source, segment->destination, 16);
    if (order == 0)
        order = (int)segment->source_port - (int)segment->destination_port;
    int from = order > 0;
    memcpy(ret_key->address[from], segment->source, 16);
    memcpy(ret_key->address[1 - from], segment->destination, 16);
    ret_key->port[from] = segment->source_port;
    ret_key->port[1 - from] = segment->destination_port;
    ret_key->ip_version = segment->ip_version;
    flow_key_put_context(ret_key, context);
    *ret_hash = flow_key_hash(secret, ret_key);
    return from;
}

uint64_t flow_key_hash(struct hash_key secret, const struct flow_key *key)
{
    if (key->ip_version == 4)
        return flow_key_hash_ip4(secret, flow_key_end_ip4(key->address[0], key->port[0]),
                                 flow_key_end_ip4(key->address[1], key->port[1]), context_of(key));
    uint64_t words[KEY_WORDS];
    memcpy(words, key, sizeof(words));
    return hash_words(secret, words, KEY_WORDS);
}

int flow_key_of(const struct segment *segment, struct flow_key *ret_key)
{
    uint64_t hash;
    return flow_key_identify((struct hash_key){0}, segment, 0, ret_key, &hash);
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
