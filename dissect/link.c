/*
 * link: which reader a link type has (link.def), which an Ethertype (ethertype.def), and the link
 * types that are nothing but an IP packet.
 */
#include "link.h"

enum dissect_result link_read(struct packet *packet, int link_type)
{
    switch (link_type) {
#define LINK(value, name, reader)                                                                  \
    case value:                                                                                    \
        return reader(packet);
#include "link.def"
#undef LINK
    default:
        return DISSECT_UNKNOWN_LINK_TYPE;
    }
}

bool dissect_knows_link_type(int link_type)
{
    switch (link_type) {
#define LINK(value, name, reader) case value:
#include "link.def"
#undef LINK
        return true;
    default:
        return false;
    }
}

enum dissect_result ethertype_read(struct packet *packet, uint16_t type)
{
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
