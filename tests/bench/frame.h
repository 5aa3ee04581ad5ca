/*
 * frame: TCP segments as Ethernet frames of a classic capture file, with valid checksums.
 *
 *      record header 16 | Ethernet 14 | IPv4 20 | TCP 20 + options 12 or 20 | payload
 *
 * The payload is always the beginning of the same octets, whose sums are known in advance, so the
 * time a frame takes does not grow with its payload but for the copying.
 */
#ifndef LASTACK_BENCH_FRAME_H
#define LASTACK_BENCH_FRAME_H

#include <stdint.h>
#include <stdio.h>

enum { FRAME_PAYLOAD_MAX = 1448 }; /* with timestamps, what fits an MTU of 1500 */

enum { FRAME_FIN = 0x01, FRAME_SYN = 0x02, FRAME_RST = 0x04, FRAME_PSH = 0x08, FRAME_ACK = 0x10 };

/* One side of a connection, as its next segment will show it. */
struct frame_end {
    uint32_t address;
    uint32_t sequence;  /* SND.NXT */
    uint32_t tsval;     /* of the last segment sent */
    uint32_t ts_offset; /* of its timestamp clock, which counts milliseconds */
    uint16_t port;
    uint16_t ip_id;
    uint8_t ttl;
};

struct frame_writer {
    FILE *file; /* not owned */
    uint32_t snaplen;
    uint64_t packets, octets; /* written so far; octets as on the wire */
    uint8_t payload[FRAME_PAYLOAD_MAX];
    uint32_t payload_sum[FRAME_PAYLOAD_MAX + 1]; /* of the first n octets as 16-bit words */
};

/* Begins the capture file; nothing after `snaplen` octets of a frame is written. */
void frame_begin(struct frame_writer *writer, FILE *file, uint32_t snaplen);

/*
 * Writes one segment at `time` (ns since the epoch) and moves `from` on past it.  `payload` is at
 * most FRAME_PAYLOAD_MAX.  A file that cannot be written shows in ferror().
 */
void frame_write(struct frame_writer *writer, int64_t time, struct frame_end *from,
                 const struct frame_end *to, uint8_t flags, uint32_t payload);

#endif
