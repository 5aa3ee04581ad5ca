/*
 * dissect: the way down through a frame, one line per layer.
 *
 * Between layers DISSECT_SEGMENT means "read on"; whoever returns something else had the last word.
 */
#include "dissect.h"

#include "ip.h"
#include "link.h"
#include "packet.h"
#include "tcp.h"
#include "tunnel.h"

/*
 * What a frame may leave unsaid.  All else but time and packet, which are the caller's, every
 * segment sets; clearing it here, too, was a fifth of the time of a short frame.
 */
static void segment_clear(struct segment *segment)
{
    memset(segment->source, 0, sizeof segment->source);
    memset(segment->destination, 0, sizeof segment->destination);
    memset(segment->vlan, 0, sizeof segment->vlan);
    memset(segment->sack, 0, sizeof segment->sack);
    segment->options = 0;
    segment->mss = 0;
    segment->tsval = 0;
    segment->tsecr = 0;
    segment->window_scale = 0;
    segment->sacks = 0;
    segment->vlans = 0;
    segment->around.tunnels = 0;
    segment->around.seen_on = 0;
}

/* A frame that claims to be shorter than what was captured of it is as long as what is there. */
static struct packet packet_open(const struct frame *frame, struct segment *segment)
{
    struct packet packet = {
        .rest = {frame->data, frame->captured},
        .length = frame->length > frame->captured ? frame->length : frame->captured,
        .segment = segment,
        .part = frame->part,
    };
    return packet;
}

static enum dissect_result packet_read(struct packet *packet, int link_type)
{
    enum dissect_result result = link_read(packet, link_type);
    if (result == DISSECT_SEGMENT)
        result = ip_read(packet);
    while (result == DISSECT_SEGMENT && packet->protocol != PROTOCOL_TCP)
        result = tunnel_enter(packet);
    if (result == DISSECT_SEGMENT)
        result = tcp_read(packet);
    return result;
}

/* Apart: its room on the stack, and what it saves there, is not for plain frames. */
static __attribute__((noinline)) enum dissect_result layers_read(const struct frame *frame,
                                                                 struct segment *ret_segment)
{
    struct packet packet = packet_open(frame, ret_segment);
    segment_clear(ret_segment);
    enum dissect_result result = packet_read(&packet, frame->link_type);
    ret_segment->further = packet.further;
    return result;
}

enum dissect_result dissect(const struct frame *frame, struct segment *ret_segment)
{
    bool plain = frame->part == 0 &&
                 dissect_plain(frame->link_type, frame->data, frame->captured, ret_segment);
    return plain ? DISSECT_SEGMENT : layers_read(frame, ret_segment);
}

enum dissect_result dissect_icmp_error(const struct frame *frame, struct segment *ret_quoted,
                                       struct icmp_error *ret_error)
{
    struct packet packet = packet_open(frame, ret_quoted);
    segment_clear(ret_quoted);
    packet.icmp = ret_error;
    return packet_read(&packet, frame->link_type);
}

bool dissect_fragment(const struct frame *frame, struct fragment *ret_fragment)
{
    struct segment segment;
    struct packet packet = packet_open(frame, &segment);
    segment_clear(&segment);
    packet.fragment = ret_fragment;
    return packet_read(&packet, frame->link_type) == DISSECT_FRAGMENT;
}

bool dissect_may_hold_tcp(uint8_t protocol)
{
    return protocol == PROTOCOL_TCP || ip_is_extension(protocol) || tunnel_is_known(protocol);
}
