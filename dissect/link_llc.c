/*
 * link_llc: IEEE 802.2 logical link control, and SNAP behind it (RFC 1042, IEEE 802.1H).
 *
 *      0      1      2      3            6      8
 *      +------+------+------+------------+------+-----------
 *      | DSAP | SSAP | ctrl |    OUI     | type | IP, or a tag
 *      +------+------+------+------------+------+-----------
 *        0xaa   0xaa   0x03   0 or 0000f8   an Ethertype
 *
 * The access point 6 is IP without SNAP; no other carries it.
 */
#include "link.h"

enum {
    LLC_HEADER = 3,
    SNAP_HEADER = 8,
    ACCESS_POINT_IP = 0x06,
    UNNUMBERED_INFORMATION = 0x03,
    SNAP = 0xaaaa03,
    OUI_ETHERTYPE = 0x000000, /* RFC 1042 */
    OUI_BRIDGED = 0x0000f8,   /* IEEE 802.1H */
};

enum dissect_result link_llc(struct packet *packet)
{
    struct view header = packet->rest;
    if (!view_holds(header, LLC_HEADER))
        return DISSECT_LINK_TRUNCATED;
    if (view_u8(header, 0) == ACCESS_POINT_IP && view_u8(header, 1) == ACCESS_POINT_IP &&
        view_u8(header, 2) == UNNUMBERED_INFORMATION) {
        packet_skip(packet, LLC_HEADER);
        return link_ip4(packet);
    }
    if (view_u32(header, 0) >> 8 != SNAP && view_u8(header, 0) != 0xaa)
        return DISSECT_NOT_IP;
    if (!view_holds(header, SNAP_HEADER))
        return DISSECT_LINK_TRUNCATED;
    uint32_t oui = view_u32(header, 3) >> 8;
    if (view_u32(header, 0) >> 8 != SNAP || (oui != OUI_ETHERTYPE && oui != OUI_BRIDGED))
        return DISSECT_NOT_IP;
    packet_skip(packet, SNAP_HEADER);
    return ethertype_read(packet, view_u16(header, 6));
}
