/* plain: see plain.h.  The layers' own files have the pictures of their headers. */
#include "plain.h"

#include "tcp.h"

enum {
    LINK_TYPE_ETHERNET = 1,
    ETHERTYPE_AT = 12,
    ETHERTYPE_IP4 = 0x0800,
    ETHERNET_HEADER = 14,
    VERSION_AND_LENGTH = 0x45, /* version 4, five words: no options */
    IP4_ADDRESSES = 12,
    IP4_HEADER = 20,
    IP4_FRAGMENT = 0x3fff, /* more fragments, or an offset */
    TCP_HEADER = 20,
    TCP_HEADER_STAMPED = 32,
    STAMPS_ALONE = 0x0101080a, /* two fillers, kind, length */
};

static const uint32_t least = ETHERNET_HEADER + IP4_HEADER + TCP_HEADER;

static void note_ip(struct segment *segment, struct view ip)
{
    memset(segment->source, 0, sizeof segment->source);
    memset(segment->destination, 0, sizeof segment->destination);
    view_copy(ip, IP4_ADDRESSES, segment->source, 4);
    view_copy(ip, IP4_ADDRESSES + 4, segment->destination, 4);
    segment->ip_version = IP_4;
    segment->ip_length = view_u16(ip, 2);
    segment->ip_id = view_u16(ip, 4);
    segment->ttl = view_u8(ip, 8);
}

static void note_tcp(struct segment *segment, struct view tcp)
{
    segment->source_port = view_u16(tcp, 0);
    segment->destination_port = view_u16(tcp, 2);
    segment->sequence = view_u32(tcp, 4);
    segment->acknowledgment = view_u32(tcp, 8);
    segment->flags = view_u8(tcp, 13);
    segment->window = view_u16(tcp, 14);
    segment->checksum = view_u16(tcp, 16);
}

/* Nearly always there are none, or time stamps alone. */
static void note_options(struct segment *segment, struct view tcp, uint32_t header)
{
    segment->options = 0;
    segment->tsval = segment->tsecr = 0;
    if (header == TCP_HEADER)
        return;
    if (header == TCP_HEADER_STAMPED && view_holds(tcp, TCP_HEADER_STAMPED) &&
        view_u32(tcp, TCP_HEADER) == STAMPS_ALONE) {
        segment->options = OPTION_TIMESTAMPS;
        segment->tsval = view_u32(tcp, 24);
        segment->tsecr = view_u32(tcp, 28);
        return;
    }
    tcp_options_read(view_after(view_first(tcp, header), TCP_HEADER), header - TCP_HEADER, segment);
}

static void note_nothing_else(struct segment *segment)
{
    memset(segment->vlan, 0, sizeof segment->vlan);
    memset(segment->sack, 0, sizeof segment->sack);
    segment->mss = 0;
    segment->window_scale = 0;
    segment->sacks = 0;
    segment->vlans = 0;
    segment->around.tunnels = 0;
    segment->around.seen_on = 0;
    segment->further = false;
}

static void note_payload(struct segment *segment, struct view tcp, uint32_t header, uint32_t length)
{
    segment->payload = length - header;
    segment->payload_hash = payload_fingerprint(view_after(tcp, header), &segment->payload_hashed);
    segment->cut = tcp.octets < length;
    segment->checksum_verdict = CHECKSUM_UNVERIFIED;
}

bool plain_read(const struct frame *frame, struct segment *ret_segment)
{
    struct view whole = {frame->data, frame->captured};
    if (frame->link_type != LINK_TYPE_ETHERNET || !view_holds(whole, least) ||
        view_u16(whole, ETHERTYPE_AT) != ETHERTYPE_IP4)
        return false;
    struct view ip = view_after(whole, ETHERNET_HEADER);
    uint32_t length = view_u16(ip, 2);
    bool plain = view_u8(ip, 0) == VERSION_AND_LENGTH && view_u8(ip, 9) == PROTOCOL_TCP &&
                 (view_u16(ip, 6) & IP4_FRAGMENT) == 0 && length >= IP4_HEADER + TCP_HEADER &&
                 frame->part == 0; /* apart from its neighbour: just written, and alone */
    if (!plain)
        return false;
    length -= IP4_HEADER;
    struct view tcp = view_first(view_after(ip, IP4_HEADER), length);
    uint32_t header = (view_u8(tcp, 12) >> 4) * 4u;
    if (header < TCP_HEADER || header > length)
        return false;
    note_ip(ret_segment, ip);
    note_tcp(ret_segment, tcp);
    note_nothing_else(ret_segment);
    note_options(ret_segment, tcp, header);
    note_payload(ret_segment, tcp, header, length);
    if (!ret_segment->cut)
        ret_segment->checksum_verdict = (uint8_t)checksum_judge_behind(
            view_first(view_after(ip, IP4_ADDRESSES), IP4_HEADER - IP4_ADDRESSES + length), length,
            ret_segment);
    return true;
}
