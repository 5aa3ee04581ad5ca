/* frame: see frame.h. */
#include "frame.h"

#include <stdbool.h>
#include <string.h>

enum {
    RECORD_SIZE = 16,
    ETHERNET_SIZE = 14,
    IP_SIZE = 20,
    TCP_SIZE = 20,
    OPTIONS_MAX = 20,
    HEADERS_MAX = RECORD_SIZE + ETHERNET_SIZE + IP_SIZE + TCP_SIZE + OPTIONS_MAX,
};

enum { LINKTYPE_ETHERNET = 1, WINDOW = 502, WINDOW_OF_SYN = 64240 };

static const uint8_t ethernet_header[ETHERNET_SIZE] = {0x02, 0, 0, 0, 0, 2,    0x02,
                                                       0,    0, 0, 0, 1, 0x08, 0x00};

/* What a SYN offers: MSS 1460, SACK permitted, timestamps, window scale 7; RFC 9293 3.2, 7323. */
static const uint8_t syn_options[] = {2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0,
                                      0, 0, 0,    0,    0, 0, 1, 3,  3, 7};
static const uint8_t other_options[] = {1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0};

enum { SYN_TSVAL_AT = 8, OTHER_TSVAL_AT = 4 };

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

/* The sum of `length` octets, an even number, as 16-bit words; RFC 1071. */
static uint32_t sum_words(const uint8_t *at, uint32_t length)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < length; i += 2)
        sum += (uint32_t)at[i] << 8 | at[i + 1];
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put_ip(uint8_t *ip, const struct frame_end *from, const struct frame_end *to,
                   uint32_t length)
{
    memset(ip, 0, IP_SIZE);
    ip[0] = 0x45;
    put16(ip + 2, length);
    put16(ip + 4, from->ip_id);
    ip[6] = 0x40; /* do not fragment */
    ip[8] = from->ttl;
    ip[9] = 6;
    put32(ip + 12, from->address);
    put32(ip + 16, to->address);
    put16(ip + 10, fold(sum_words(ip, IP_SIZE)));
}

static uint32_t put_options(uint8_t *options, const struct frame_end *from,
                            const struct frame_end *to, uint8_t flags)
{
    bool is_syn = (flags & FRAME_SYN) != 0;
    const uint8_t *model = is_syn ? syn_options : other_options;
    uint32_t length = is_syn ? sizeof syn_options : sizeof other_options;
    uint8_t *tsval = options + (is_syn ? SYN_TSVAL_AT : OTHER_TSVAL_AT);
    memcpy(options, model, length);
    put32(tsval, from->tsval);
    put32(tsval + 4, (flags & FRAME_ACK) != 0 ? to->tsval : 0);
    return length;
}

/* The header with its checksum; returns its length. */
static uint32_t put_tcp(uint8_t *tcp, const struct frame_end *from, const struct frame_end *to,
                        uint8_t flags)
{
    memset(tcp, 0, TCP_SIZE);
    uint32_t length = TCP_SIZE + put_options(tcp + TCP_SIZE, from, to, flags);
    put16(tcp, from->port);
    put16(tcp + 2, to->port);
    put32(tcp + 4, from->sequence);
    put32(tcp + 8, (flags & FRAME_ACK) != 0 ? to->sequence : 0);
    tcp[12] = (uint8_t)(length / 4 << 4);
    tcp[13] = flags;
    put16(tcp + 14, (flags & FRAME_SYN) != 0 ? WINDOW_OF_SYN : WINDOW);
    return length;
}

static void put_record(uint8_t *record, int64_t time, uint32_t captured, uint32_t length)
{
    uint32_t words[4] = {(uint32_t)(time / 1000000000), (uint32_t)(time % 1000000000 / 1000),
                         captured, length};
    memcpy(record, words, sizeof words);
}

static void write_cut(struct frame_writer *writer, const uint8_t *headers, uint32_t header_length,
                      uint32_t payload)
{
    uint32_t room = writer->snaplen + RECORD_SIZE;
    uint32_t of_headers = header_length < room ? header_length : room;
    uint32_t of_payload = payload < room - of_headers ? payload : room - of_headers;
    fwrite_unlocked(headers, 1, of_headers, writer->file);
    fwrite_unlocked(writer->payload, 1, of_payload, writer->file);
}

void frame_begin(struct frame_writer *writer, FILE *file, uint32_t snaplen)
{
    const uint32_t header[6] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, snaplen, LINKTYPE_ETHERNET};
    *writer = (struct frame_writer){.file = file, .snaplen = snaplen};
    for (uint32_t i = 0; i < FRAME_PAYLOAD_MAX; i++) {
        writer->payload[i] = (uint8_t)(' ' + i % 95);
        uint32_t word = i % 2 == 0 ? (uint32_t)writer->payload[i] << 8 : writer->payload[i];
        writer->payload_sum[i + 1] = writer->payload_sum[i] + word;
    }
    fwrite(header, sizeof header, 1, file);
}

void frame_write(struct frame_writer *writer, int64_t time, struct frame_end *from,
                 const struct frame_end *to, uint8_t flags, uint32_t payload)
{
    uint8_t frame[HEADERS_MAX];
    uint8_t *ip = frame + RECORD_SIZE + ETHERNET_SIZE;
    uint8_t *tcp = ip + IP_SIZE;
    from->tsval = (uint32_t)(time / 1000000) + from->ts_offset;
    memcpy(frame + RECORD_SIZE, ethernet_header, ETHERNET_SIZE);
    uint32_t tcp_length = put_tcp(tcp, from, to, flags);
    put_ip(ip, from, to, IP_SIZE + tcp_length + payload);
    uint32_t pseudo_header = sum_words(ip + 12, 8) + 6 + tcp_length + payload;
    put16(tcp + 16,
          fold(pseudo_header + sum_words(tcp, tcp_length) + writer->payload_sum[payload]));

    uint32_t length = ETHERNET_SIZE + IP_SIZE + tcp_length + payload;
    put_record(frame, time, length < writer->snaplen ? length : writer->snaplen, length);
    write_cut(writer, frame, RECORD_SIZE + length - payload, payload);
    from->sequence += payload + ((flags & (FRAME_SYN | FRAME_FIN)) != 0);
    from->ip_id++;
    writer->packets++;
    writer->octets += length;
}
