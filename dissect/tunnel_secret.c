/*
 * tunnel_secret: tunnels that can only be read with keys.  They are named, and left.
 *
 *      ESP in UDP   | SPI 4, not 0 | sequence 4 | ...                  RFC 3948 2.1
 *      WireGuard    | type 1, 1 to 4 | 0 in 3 octets | ...             its protocol page, 5.4
 */
#include "tunnel.h"

enum dissect_result tunnel_esp(struct packet *packet)
{
    enum { ESP_HEADER = 8 };
    bool exchange = view_u32(packet->rest, 0) == 0; /* IKE stands behind four zero octets */
    return view_holds(packet->rest, ESP_HEADER) && !exchange ? DISSECT_ENCRYPTED : DISSECT_NOT_TCP;
}

/* Of each type of message but data the length is fixed; data comes in blocks of 16. */
enum dissect_result tunnel_wireguard(struct packet *packet)
{
    static const uint16_t lengths[] = {[1] = 148, [2] = 92, [3] = 64};
    enum { DATA = 4, DATA_HEADER = 16, DATA_TAG = 16 };
    uint32_t type = view_u32(packet->rest, 0) >> 24;
    if (!view_holds(packet->rest, 4) || (view_u32(packet->rest, 0) & 0xffffff) != 0)
        return DISSECT_NOT_TCP;
    if (type >= 1 && type < DATA)
        return packet->length == lengths[type] ? DISSECT_ENCRYPTED : DISSECT_NOT_TCP;
    bool data =
        type == DATA && packet->length >= DATA_HEADER + DATA_TAG && packet->length % DATA_TAG == 0;
    return data ? DISSECT_ENCRYPTED : DISSECT_NOT_TCP;
}
