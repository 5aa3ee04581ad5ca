/*
 * link_tags: what networks put between an Ethernet header and IP beside VLAN tags.
 *
 *      802.1ah      | flags, I-SID 4 | an Ethernet frame          IEEE 802.1Q 9.7
 *      VN-tag       | tag 4 | type                                IEEE 802.1BR's forerunner
 *      FabricPath   | tree, TTL 2 | an Ethernet frame             Cisco
 *      TRILL        | flags 2 | egress 2 | ingress 2 | options | an Ethernet frame    RFC 6325 3
 *      EDSA         | reserved 2 | tag 4 | type                   Marvell's switch tag
 *      MACsec       | TCI 1 | SL 1 | number 4 | SCI 0 or 8 | type, or ciphertext
 *                                                                 IEEE 802.1AE 9.3
 */
#include "link.h"

enum {
    BACKBONE_TAG = 4,
    VN_TAG = 4,
    FABRICPATH_TAG = 2,
    TRILL_HEADER = 6,
    EDSA_TAG = 6,
    MACSEC_TAG = 6,
    MACSEC_CHANNEL = 8, /* the secure channel identifier, where there is one */
};

enum dissect_result link_backbone(struct packet *packet)
{
    if (!view_holds(packet->rest, BACKBONE_TAG))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, BACKBONE_TAG);
    return link_ethernet(packet);
}

enum dissect_result link_vntag(struct packet *packet)
{
    struct view tag = packet->rest;
    if (!view_holds(tag, VN_TAG + 2))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, VN_TAG + 2);
    return ethertype_read(packet, view_u16(tag, VN_TAG));
}

enum dissect_result link_fabricpath(struct packet *packet)
{
    if (!view_holds(packet->rest, FABRICPATH_TAG))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, FABRICPATH_TAG);
    return link_ethernet(packet);
}

enum dissect_result link_trill(struct packet *packet)
{
    struct view header = packet->rest;
    if (!view_holds(header, TRILL_HEADER))
        return DISSECT_LINK_TRUNCATED;
    uint32_t options = (view_u16(header, 0) >> 6 & 0x1f) * 4u;
    if (!view_holds(header, TRILL_HEADER + options))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, TRILL_HEADER + options);
    return link_ethernet(packet);
}

enum dissect_result link_edsa(struct packet *packet)
{
    struct view tag = packet->rest;
    if (!view_holds(tag, EDSA_TAG + 2))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, EDSA_TAG + 2);
    return ethertype_read(packet, view_u16(tag, EDSA_TAG));
}

enum dissect_result link_macsec(struct packet *packet)
{
    enum { CHANNEL_PRESENT = 0x20, ENCRYPTED = 0x08, CHANGED = 0x04 };
    struct view tag = packet->rest;
    if (!view_holds(tag, MACSEC_TAG))
        return DISSECT_LINK_TRUNCATED;
    uint8_t control = view_u8(tag, 0);
    if ((control & (ENCRYPTED | CHANGED)) != 0)
        return DISSECT_ENCRYPTED;
    uint32_t octets = MACSEC_TAG + ((control & CHANNEL_PRESENT) != 0 ? MACSEC_CHANNEL : 0);
    if (!view_holds(tag, octets + 2))
        return DISSECT_LINK_TRUNCATED;
    packet_skip(packet, octets + 2);
    return ethertype_read(packet, view_u16(tag, octets));
}
