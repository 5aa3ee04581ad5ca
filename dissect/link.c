/*
 * link: which reader a link type has (link.def), which an Ethertype (ethertype.def), and the link
 * types that are nothing but an IP packet.
 */
#include "link.h"

enum {
    LAYERS_MAX = 32, /* a tunnel in a tunnel under stacked tags comes to a dozen */
    ETHERTYPE_IP4 = 0x0800,
    LENGTH_MOST = 1500, /* IEEE 802.3 3.2.6: below 1536 it is no type but a length */
};

/* A header of fixed length, with an Ethertype in it. */
static enum dissect_result fixed_read(struct packet *packet, uint32_t octets, uint32_t type_at)
{
    struct view header = packet->rest;
    if (!view_holds(header, octets))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, octets);
    return ethertype_read(packet, view_u16(header, type_at));
}

/* A header of fixed length that says nothing of what follows it. */
static enum dissect_result behind_read(struct packet *packet, uint32_t octets,
                                       enum dissect_result (*reader)(struct packet *packet))
{
    if (!view_holds(packet->rest, octets))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, octets);
    return reader(packet);
}

/* Whether one more layer may be read: tags in tags end somewhere. */
static bool layer_enter(struct packet *packet)
{
    return packet->layers++ < LAYERS_MAX;
}

enum dissect_result link_read(struct packet *packet, int link_type)
{
    if (!layer_enter(packet))
        return DISSECT_LINK_LOOP;
    switch (link_type) {
#define LINK(value, name, reader)                                                                  \
    case value:                                                                                    \
        return reader(packet);
#define FIXED(value, name, octets, type_at)                                                        \
    case value:                                                                                    \
        return fixed_read(packet, octets, type_at);
#define BEFORE(value, name, octets, reader)                                                        \
    case value:                                                                                    \
        return behind_read(packet, octets, reader);
#include "link.def"
#undef BEFORE
#undef FIXED
#undef LINK
    default:
        return DISSECT_UNKNOWN_LINK_TYPE;
    }
}

bool dissect_knows_link_type(int link_type)
{
    switch (link_type) {
#define LINK(value, name, reader)           case value:
#define FIXED(value, name, octets, type_at) case value:
#define BEFORE(value, name, octets, reader) case value:
#include "link.def"
#undef BEFORE
#undef FIXED
#undef LINK
        return true;
    default:
        return false;
    }
}

enum dissect_result ethertype_read(struct packet *packet, uint16_t type)
{
    if (type == ETHERTYPE_IP4) /* what nearly every frame has */
        return link_ip4(packet);
    if (!layer_enter(packet))
        return DISSECT_LINK_LOOP;
    if (type <= LENGTH_MOST) {
        packet_limit_to(packet, type);
        return link_llc(packet);
    }
    switch (type) {
#define ETHERTYPE(value, reader)                                                                   \
    case value:                                                                                    \
        return reader(packet);
#include "ethertype.def"
#undef ETHERTYPE
    default:
        return DISSECT_NOT_IP;
    }
}

bool ethertype_is_known(uint16_t type)
{
    switch (type) {
#define ETHERTYPE(value, reader) case value:
#include "ethertype.def"
#undef ETHERTYPE
        return true;
    default:
        return false;
    }
}

enum dissect_result link_ip4(struct packet *packet)
{
    packet->ip_version = IP_4;
    return DISSECT_SEGMENT;
}

enum dissect_result link_ip6(struct packet *packet)
{
    packet->ip_version = IP_6;
    return DISSECT_SEGMENT;
}

enum dissect_result link_raw(struct packet *packet)
{
    packet->ip_version = IP_EITHER;
    return DISSECT_SEGMENT;
}
