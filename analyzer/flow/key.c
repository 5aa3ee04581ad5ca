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

static inline void put_first_four(uint8_t address[16], uint32_t word)
{
    memset(address, 0, 16);
    memcpy(address, &word, sizeof(word));
}

static inline void put_context(struct flow_key *key, uint32_t context)
{
    for (size_t i = 0; i < sizeof(key->context); i++)
        key->context[i] = (uint8_t)(context >> 8 * i);
}

static inline uint32_t context_of(const struct flow_key *key)
{
    return key->context[0] | (uint32_t)key->context[1] << 8 | (uint32_t)key->context[2] << 16;
}

/* Both ends of a connection of IPv4, the first one in the lower halves. */
struct ends4 {
    uint64_t addresses; /* as they stand in memory */
    uint32_t ports;
};

static inline struct ends4 ends4_of(uint32_t address0, uint16_t port0, uint32_t address1,
                                    uint16_t port1)
{
    return (struct ends4){address0 | (uint64_t)address1 << 32, port0 | (uint32_t)port1 << 16};
}

/* Whether the first end stands behind the other, by its octets: these are numbers. */
static inline bool ends4_are_swapped(struct ends4 ends)
{
    uint64_t first = (uint64_t)ntohl((uint32_t)ends.addresses) << 16 | (uint16_t)ends.ports;
    uint64_t other = (uint64_t)ntohl((uint32_t)(ends.addresses >> 32)) << 16 | ends.ports >> 16;
    return first > other;
}

/* Exchanges them; without a branch, as nobody can foresee it. */
static inline struct ends4 ends4_swap(struct ends4 ends, bool swapped)
{
    const unsigned half = swapped ? 16 : 0, whole = 2 * half;
    return (struct ends4){ends.addresses << whole | ends.addresses >> (-whole & 63),
                          ends.ports << half | ends.ports >> (-half & 31)};
}

/* Of an IPv4 key the zeros are left out: two words instead of five. */
static inline uint64_t ends4_hash(struct hash_key secret, struct ends4 ends, uint32_t context)
{
    return hash_two_words(secret, ends.addresses, ends.ports | (uint64_t)context << 32);
}

/* What is hashed stands in registers: who reads what was just written in pieces waits. */
static inline int identify_ip4(struct hash_key secret, const struct segment *segment,
                               uint32_t context, struct flow_key *ret_key, uint64_t *ret_hash)
{
    struct ends4 ends = ends4_of(first_four(segment->source), segment->source_port,
                                 first_four(segment->destination), segment->destination_port);
    const bool from = ends4_are_swapped(ends);
    ends = ends4_swap(ends, from);
    put_first_four(ret_key->address[0], (uint32_t)ends.addresses);
    put_first_four(ret_key->address[1], (uint32_t)(ends.addresses >> 32));
    ret_key->port[0] = (uint16_t)ends.ports;
    ret_key->port[1] = (uint16_t)(ends.ports >> 16);
    ret_key->ip_version = 4;
    put_context(ret_key, context);
    *ret_hash = ends4_hash(secret, ends, context);
    return from;
}

static __attribute__((noinline)) int identify_ip6(struct hash_key secret,
                                                  const struct segment *segment, uint32_t context,
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
    put_context(ret_key, context);
    *ret_hash = flow_key_hash(secret, ret_key);
    return from;
}

uint64_t flow_key_hash(struct hash_key secret, const struct flow_key *key)
{
    if (key->ip_version == 4) {
        struct ends4 ends = ends4_of(first_four(key->address[0]), key->port[0],
                                     first_four(key->address[1]), key->port[1]);
        return ends4_hash(secret, ends, context_of(key));
    }
    uint64_t words[KEY_WORDS];
    memcpy(words, key, sizeof(words));
    return hash_words(secret, words, KEY_WORDS);
}

int flow_key_identify(struct hash_key secret, const struct segment *segment, uint32_t context,
                      struct flow_key *ret_key, uint64_t *ret_hash)
{
    return segment->ip_version == 4 ? identify_ip4(secret, segment, context, ret_key, ret_hash)
                                    : identify_ip6(secret, segment, context, ret_key, ret_hash);
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
