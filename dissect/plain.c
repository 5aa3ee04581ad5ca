/*
 * plain: the frame that nearly every frame is, read in one go.
 *
 * Ethernet, IPv4 without options, not a fragment; TCP, of whose options time stamps alone, as every
 * stack lays them out (RFC 7323, appendix A), are the usual ones.  What it reads, link, ip and tcp
 * would read the same (a test compares them), at several times the cost; their files have the
 * pictures of the headers.
 */
#include "dissect.h"

#include "sum.h"
#include "tcp.h"

enum {
    LINK_TYPE_ETHERNET = 1,
    ETHERNET_HEADER = 14,
    IP4_HEADER = 20,
    TCP_HEADER = 20,
    TCP_HEADER_STAMPED = 32,
    TCP_HEADER_OPENING = 40,
};

/*
 * Where in the frame what is read together stands, four octets each:
 *
 *     TYPE        ethertype, version and length, class of service
 *     LENGTH      total length, identification
 *     FRAGMENT    flags and fragment offset, time to live, protocol
 *     ADDRESSES   source, destination
 *     TCP         ports, sequence number, ...
 */
enum {
    TYPE = 12,
    LENGTH = ETHERNET_HEADER + 2,
    FRAGMENT = ETHERNET_HEADER + 6,
    ADDRESSES = ETHERNET_HEADER + 12,
    TCP = ETHERNET_HEADER + IP4_HEADER,
    LEAST = TCP + TCP_HEADER,
    STAMPED = TCP + TCP_HEADER_STAMPED,
    OPENING = TCP + TCP_HEADER_OPENING,
};

enum {
    IP4_MASK = -0x100,                  /* all but the class of service */
    IP4_WITHOUT_OPTIONS = 0x08004500,   /* IPv4 behind Ethernet, five words long */
    WHOLE_TCP_MASK = 0x3fff00ff,        /* more fragments, or an offset; the protocol */
    STAMPS_ALONE = 0x0101080a,          /* two fillers, kind, length */
    SEGMENT_SIZE = 0x0204,              /* kind, length */
    SACK_PERMITTED_STAMPS = 0x0402080a, /* kind, length; kind, length */
    WINDOW_SCALE = 0x010303,            /* a filler, kind, length */
};

/* lengths: total length and identification, as they stand there. */
static inline void note_ip(struct segment *segment, struct view head, uint32_t lengths)
{
    memset(segment->source, 0, sizeof segment->source);
    memset(segment->destination, 0, sizeof segment->destination);
    view_copy(head, ADDRESSES, segment->source, 4);
    view_copy(head, ADDRESSES + 4, segment->destination, 4);
    segment->ip_version = IP_4;
    segment->ip_length = lengths >> 16;
    segment->ip_id = (uint16_t)lengths;
    segment->ttl = view_u8(head, FRAGMENT + 2);
}

static inline void note_tcp(struct segment *segment, struct view head)
{
    segment->source_port = view_u16(head, TCP);
    segment->destination_port = view_u16(head, TCP + 2);
    segment->sequence = view_u32(head, TCP + 4);
    segment->acknowledgment = view_u32(head, TCP + 8);
    segment->flags = view_u8(head, TCP + 13);
    segment->window = view_u16(head, TCP + 14);
    segment->checksum = view_u16(head, TCP + 16);
}

/* sack[] has a meaning up to sacks alone, and nothing there is a line of memory less to write. */
static inline void note_nothing_else(struct segment *segment)
{
    memset(segment->vlan, 0, sizeof segment->vlan);
    segment->mss = 0;
    segment->window_scale = 0;
    segment->further = false;
    segment->around.tunnels = 0;
    segment->around.seen_on = 0;
    segment->sacks = 0;
    segment->vlans = 0;
    segment->payload_hash = 0;
    segment->payload_hashed = 0;
}

static inline void note_stamps(struct segment *segment, struct view head)
{
    segment->options = OPTION_TIMESTAMPS;
    segment->tsval = view_u32(head, LEAST + 4);
    segment->tsecr = view_u32(head, LEAST + 8);
}

/* Those that Linux sends with a SYN, in its order. */
static inline bool note_opening(struct segment *segment, struct view frame)
{
    if (!view_holds(frame, OPENING))
        return false;
    const struct view head = view_first(frame, OPENING);
    const uint32_t size = view_u32(head, LEAST), scale = view_u32(head, LEAST + 16);
    if (size >> 16 != SEGMENT_SIZE || view_u32(head, LEAST + 4) != SACK_PERMITTED_STAMPS ||
        scale >> 8 != WINDOW_SCALE)
        return false;
    segment->options = OPTION_MSS | OPTION_SACK_PERMITTED | OPTION_TIMESTAMPS | OPTION_WINDOW_SCALE;
    segment->mss = (uint16_t)size;
    segment->tsval = view_u32(head, LEAST + 8);
    segment->tsecr = view_u32(head, LEAST + 12);
    segment->window_scale = (uint8_t)scale;
    return true;
}

/* Whether the header has time stamps alone, and they were captured. */
static inline bool is_stamped(struct view frame, uint32_t header)
{
    return header == TCP_HEADER_STAMPED && view_holds(frame, STAMPED) &&
           view_u32(frame, LEAST) == STAMPS_ALONE;
}

static inline void note_options(struct segment *segment, struct view frame, uint32_t header)
{
    if (header == TCP_HEADER)
        return;
    if (is_stamped(frame, header))
        note_stamps(segment, frame);
    else if (header != TCP_HEADER_OPENING || !note_opening(segment, frame))
        tcp_options_read(view_after(view_first(frame, TCP + header), LEAST), header - TCP_HEADER,
                         segment);
}

/* Whatever it is: behind the fixed part of the header, and its sum.  length: by the IP length. */
static __attribute__((noinline)) bool rest_read(struct segment *segment, struct view frame,
                                                uint32_t header, uint32_t length)
{
    segment->tsval = segment->tsecr = 0;
    segment->options = 0;
    segment->checksum_verdict = CHECKSUM_UNVERIFIED;
    note_options(segment, frame, header);
    segment->payload = length - header;
    if (length > header && view_holds(frame, TCP + header + 1))
        segment->payload_hash = payload_fingerprint(
            view_after(view_first(frame, TCP + length), TCP + header), &segment->payload_hashed);
    segment->cut = !view_holds(frame, TCP + length);
    if (!segment->cut)
        segment->checksum_verdict = (uint8_t)checksum_judge_behind(
            view_first(view_after(frame, ADDRESSES), TCP - ADDRESSES + length), length, segment);
    return true;
}

/* Whether addresses and segment, time stamps alone and no payload, have a good sum: five words. */
static inline bool is_good_stamped(struct view head)
{
    struct sum sum = {view_memory64(head, ADDRESSES), 0};
#pragma GCC unroll 4
    for (size_t offset = ADDRESSES + 8; offset < STAMPED; offset += 8)
        sum_add(&sum, view_memory64(head, offset));
    return sum_is_good(sum_total(sum), TCP_HEADER_STAMPED);
}

/*
 * Nearly every segment without payload is one with time stamps: it is read without a call.  What
 * has anything else is read by a function of its own, so that registers are saved there alone.
 */
bool dissect_plain(int link_type, const uint8_t *data, uint32_t captured,
                   struct segment *ret_segment)
{
    const struct view whole = {data, captured};
    if (link_type != LINK_TYPE_ETHERNET || !view_holds(whole, LEAST))
        return false;
    const struct view head = {data, LEAST}; /* in which every access is known to lie */
    const uint32_t lengths = view_u32(head, LENGTH);
    bool plain = (view_u32(head, TYPE) & (uint32_t)IP4_MASK) == IP4_WITHOUT_OPTIONS &&
                 (view_u32(head, FRAGMENT) & WHOLE_TCP_MASK) == PROTOCOL_TCP &&
                 lengths >> 16 >= IP4_HEADER + TCP_HEADER;
    if (!plain)
        return false;
    const uint32_t length = (lengths >> 16) - IP4_HEADER;
    const uint32_t header = (view_u8(head, TCP + 12) & 0xf0u) >> 2; /* in words of four */
    if (header < TCP_HEADER || header > length)
        return false;
    note_ip(ret_segment, head, lengths);
    note_tcp(ret_segment, head);
    note_nothing_else(ret_segment);
    const struct view stamped = {data, STAMPED}; /* once it is known to be there */
    if (length != TCP_HEADER_STAMPED || !is_stamped(whole, header) || !is_good_stamped(stamped))
        return rest_read(ret_segment, whole, header, length);
    note_stamps(ret_segment, stamped);
    ret_segment->payload = 0;
    ret_segment->cut = 0;
    ret_segment->checksum_verdict = CHECKSUM_GOOD;
    return true;
}
