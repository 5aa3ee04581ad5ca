/*
 * dissect: bytes in, facts out.
 *
 * One call reads one captured frame and yields either a TCP segment as a plain value, or the
 * reason why there is none.  Nothing is allocated, nothing is remembered, no clock is read, and
 * every byte is reached through a bounded view: a truncated or lying packet is a result with a
 * name, never an error.
 */
#ifndef LASTACK_DISSECT_H
#define LASTACK_DISSECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Why a frame yielded no segment, or SEGMENT.  One row each in dissect/result.def. */
enum dissect_result {
#define RESULT(id, name, reason) DISSECT_##id,
#include "result.def"
#undef RESULT
    DISSECT_RESULTS
};

/* TCP control bits as RFC 9293 3.1 numbers them in octet 13, CWR and ECE included. */
enum tcp_flag {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
    TCP_ECE = 0x40,
    TCP_CWR = 0x80,
};

/* Options seen in a segment (bits of segment.options). */
enum tcp_option_bit {
    OPTION_MSS = 0x001,
    OPTION_WINDOW_SCALE = 0x002,
    OPTION_SACK_PERMITTED = 0x004,
    OPTION_SACK = 0x008,
    OPTION_TIMESTAMPS = 0x010,
    OPTION_FAST_OPEN = 0x020,
    OPTION_MPTCP = 0x040,
    OPTION_MD5 = 0x080,
    OPTION_AO = 0x100,
    OPTION_UNKNOWN = 0x200,   /* some kind not named above */
    OPTION_MALFORMED = 0x400, /* a length below 2, past the header, or wrong for its kind */
    OPTION_CUT = 0x800,       /* the capture ends inside the options: the rest is unknown */
};

/* What the TCP checksum says. */
enum checksum_verdict {
    CHECKSUM_UNVERIFIED, /* the capture cut the segment short */
    CHECKSUM_GOOD,
    CHECKSUM_PARTIAL, /* only the pseudo-header is summed: offload, the card fills in the rest */
    CHECKSUM_BAD,
};

enum { SEGMENT_VLANS = 4, SEGMENT_SACKS = 4, SEGMENT_TUNNELS = 3 };

/* What carried a packet.  One row each in dissect/tunnel.def. */
enum tunnel_kind {
#define KIND(id, name) TUNNEL_##id,
#define TUNNEL(protocol, kind, reader)
#define PORT(port, kind, reader)
#define SHAPE(kind, reader)
#include "tunnel.def"
#undef SHAPE
#undef PORT
#undef TUNNEL
#undef KIND
    TUNNEL_KINDS
};

/*
 * The tunnels that a packet came through, outermost first, who stood at the ends of the outermost,
 * and the interface.  Only `tunnels` and seen_on have a meaning when that is 0.
 */
struct encapsulation {
    uint32_t id[SEGMENT_TUNNELS]; /* number of the tunnel: VNI, key, session, TEID; 0: none */
    uint8_t source[16];           /* of the outermost IP header, as in struct segment */
    uint8_t destination[16];
    uint8_t kind[SEGMENT_TUNNELS]; /* enum tunnel_kind */
    uint8_t ip_version;            /* of the outermost IP header */
    uint8_t tunnels;               /* in kind[] and id[]; further ones are not kept */
    uint8_t seen_on; /* a number for the interface, 1 to 127; 0: not known.  Has a meaning always */
};

/* Of seen_on: what frames tell themselves is below, what the caller knows from here on. */
enum { SEEN_ON_CALLERS = 64, SEEN_ON_MOST = 127 };

struct sack_block {
    uint32_t left;  /* first sequence number of the block */
    uint32_t right; /* sequence number following its last octet */
};

/*
 * A TCP segment: plain value, copied freely.  Addresses are in network order; IPv4 fills the first
 * four octets and leaves the rest zero.  Numbers are in host order.
 *
 * In the order of use: what an ordinary segment of a known connection is asked for is the last
 * cache line, from the end of `around` on; it is read by another thread than it was written by.
 * What is remembered of it together stands together, and from `sequence` to `ip_version` what a
 * copy has in common with its original, in words.
 */
struct segment {
    uint8_t source[16];
    uint8_t destination[16];
    uint16_t source_port;
    uint16_t destination_port;
    uint16_t vlan[SEGMENT_VLANS]; /* VLAN identifiers */
    uint16_t mss;                 /* with OPTION_MSS */
    uint8_t window_scale;         /* with OPTION_WINDOW_SCALE, as sent (0 to 255) */
    bool further; /* valid with every result: the frame has a packet behind this one */
    struct sack_block sack[SEGMENT_SACKS];
    struct encapsulation around; /* the tunnels that it came through */
    uint32_t ip_length; /* octets of the IP packet, headers included, by its own length field */
    int64_t time; /* capture time, ns since the epoch; stamped by the caller, dissect leaves it */
    uint64_t packet; /* number in the whole input, from 1; stamped by the caller */
    uint32_t sequence;
    uint32_t acknowledgment;  /* as in the header, meaningful with TCP_ACK */
    uint32_t payload;         /* octets of payload by the IP length, never by the captured length */
    uint32_t payload_hash;    /* of the captured payload, at most its first 128 octets; 0: none */
    uint32_t tsval, tsecr;    /* with OPTION_TIMESTAMPS */
    uint16_t window;          /* unscaled */
    uint16_t checksum;        /* as in the header */
    uint16_t options;         /* enum tcp_option_bit */
    uint8_t flags;            /* enum tcp_flag */
    uint8_t ip_version;       /* 4 or 6 */
    uint16_t ip_id;           /* IPv4 identification; 0 under IPv6 */
    uint8_t sacks;            /* blocks in sack[] */
    uint8_t ttl;              /* TTL, or IPv6 hop limit */
    uint8_t checksum_verdict; /* enum checksum_verdict */
    uint8_t vlans;            /* tags in vlan[], outermost first */
    uint8_t cut;              /* 1: the capture holds less than the IP length */
    uint8_t payload_hashed;   /* octets that payload_hash covers */
};

/* An ICMP or ICMPv6 error about a TCP segment: plain value. */
struct icmp_error {
    uint8_t from[16];   /* who sent the error; as the addresses of a segment */
    uint8_t ip_version; /* 4: type and code are of RFC 792; 6: of RFC 4443 */
    uint8_t type;
    uint8_t code;
    uint32_t mtu; /* of the next hop, where the message names one; else 0 */
};

/* A captured frame, as the source delivers it. */
struct frame {
    const uint8_t *data; /* owned by the caller, valid for the call */
    uint32_t captured;   /* octets at data */
    uint32_t length;     /* octets on the wire */
    int link_type;       /* a DLT_ value as libpcap's pcap_datalink() gives it */
    uint32_t part;       /* which packet of the frame, from 0: wireless frames may hold several */
};

/*
 * A fragment of an IP packet, RFC 791 3.2 and RFC 8200 4.5: plain value.  What stands below the IP
 * header is in the segment's terms.
 */
struct fragment {
    uint8_t source[16]; /* of the whole packet, as in struct segment */
    uint8_t destination[16];
    uint32_t id;
    uint32_t offset;     /* octets of the packet's payload before this piece */
    uint32_t length;     /* octets of payload in this piece, by the IP length */
    uint32_t captured;   /* of these, how many are at data */
    const uint8_t *data; /* in the frame's memory */
    uint8_t ip_version;
    uint8_t protocol; /* of the payload; under IPv6 what follows the fragment header */
    uint8_t ttl;
    bool more; /* another piece follows behind this one */
    uint8_t vlans;
    uint16_t vlan[SEGMENT_VLANS];
    struct encapsulation around;
};

/*
 * Reads one frame.
 *
 * Returns DISSECT_SEGMENT and fills *ret_segment (all but time and packet), or the reason why the
 * packet asked for is no TCP segment; then *ret_segment has no meaning but for `further`.  Never
 * fails, never allocates. Sources: RFC 9293 3.1, RFC 791, RFC 8200, RFC 7323, RFC 2018, IEEE
 * 802.1Q, pcap-linktype(7).
 */
enum dissect_result dissect(const struct frame *frame, struct segment *ret_segment);

/*
 * Reads the frame that nearly every frame is, in one go: Ethernet, IPv4 without options, not a
 * fragment, TCP.  Fills *ret_segment as dissect() does, by which it is asked first, and returns
 * whether the frame, whose first packet is asked for, is such a one.
 */
bool dissect_plain(int link_type, const uint8_t *data, uint32_t captured,
                   struct segment *ret_segment);

/* Copies what dissect_plain() has filled: of what has no meaning then a line of memory is left. */
static inline void dissect_copy_plain(const struct segment *from, struct segment *ret_segment)
{
    enum {
        SACK = offsetof(struct segment, sack),
        REST = offsetof(struct segment, around.tunnels),
    };
    memcpy(ret_segment, from, SACK);
    if (from->sacks > 0)
        memcpy(ret_segment->sack, from->sack, sizeof from->sack);
    memcpy((char *)ret_segment + REST, (const char *)from + REST, sizeof *from - REST);
}

/* With a frame to which dissect() said DISSECT_FRAGMENT: that fragment.  False for others. */
bool dissect_fragment(const struct frame *frame, struct fragment *ret_fragment);

/* Whether a packet of that IP protocol may be, or hold, a TCP segment: worth putting together. */
bool dissect_may_hold_tcp(uint8_t protocol);

/*
 * Reads again a frame that dissect() called DISSECT_ICMP_ERROR: the error, and of the segment that
 * it quotes the addresses, the ports and the sequence number; nothing else of *ret_quoted has a
 * meaning.  Returns what dissect() did.  Sources: RFC 792, RFC 4443 2.1, RFC 1122 3.2.2.
 */
enum dissect_result dissect_icmp_error(const struct frame *frame, struct segment *ret_quoted,
                                       struct icmp_error *ret_error);

/* The short machine-readable name of a result, e.g. "not_tcp"; static storage. */
const char *dissect_result_name(enum dissect_result result);

/* The name of a kind of tunnel, e.g. "vxlan"; static storage. */
const char *dissect_tunnel_name(enum tunnel_kind kind);

/* One sentence on what a result means; static storage. */
const char *dissect_result_reason(enum dissect_result result);

/* Whether a link type is one that dissect() reads (a DLT_ value of libpcap). */
bool dissect_knows_link_type(int link_type);

#endif
