/*
 * snoop: reader of Solaris snoop captures (RFC 1761).  All integers are big-endian.
 *
 *     file header, 16 octets           record header, 24 octets
 *      0  "snoop", three zeros          0  length on the wire     4  captured octets
 *      8  version: 2                    8  length of the record  12  packets lost so far
 *     12  link type                    16  seconds               20  microseconds
 */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "inlet.h"
#include "octets.h"
#include "reader.h"

enum { FILE_HEADER_SIZE = 16, RECORD_HEADER_SIZE = 24, SNOOP_VERSION = 2 };

struct snoop {
    struct inlet inlet;
    int link_type;
    uint64_t packets;
    uint64_t drops;
};

static const struct {
    uint32_t in_file;
    int here;
} link_types[] = {
    {0, DLT_EN10MB}, /* IEEE 802.3 */
    {4, DLT_EN10MB}, /* Ethernet */
    {8, DLT_FDDI},
};

static int find_link_type(uint32_t in_file)
{
    for (size_t i = 0; i < sizeof link_types / sizeof link_types[0]; i++)
        if (link_types[i].in_file == in_file)
            return link_types[i].here;
    return LINK_TYPE_UNKNOWN;
}

static void snoop_free(void *reader)
{
    struct snoop *snoop = reader;
    if (snoop == NULL)
        return;
    inlet_clear(&snoop->inlet);
    free(snoop);
}

static enum status snoop_read_header(struct snoop *snoop, const char *name, char *message)
{
    uint8_t head[FILE_HEADER_SIZE];
    stream_read(snoop->inlet.stream, head, sizeof head); /* all there: the head was looked at */
    snoop->inlet.offset = sizeof head;
    uint32_t version = read_u32(head + 8, true);
    uint32_t link_type = read_u32(head + 12, true);
    snoop->link_type = find_link_type(link_type);
    if (version == SNOOP_VERSION && snoop->link_type != LINK_TYPE_UNKNOWN)
        return STATUS_OK;
    snprintf(message, MESSAGE_SIZE,
             "%s: a snoop capture of version %u and link type %u; read are version 2 with Ethernet "
             "or FDDI; type: editcap -F pcapng FILE new.pcapng && lastack new.pcapng",
             name, (unsigned)version, (unsigned)link_type);
    return STATUS_UNREADABLE;
}

static enum status snoop_open(struct stream *stream, const char *name, void **ret_reader,
                              char *message)
{
    struct snoop *snoop = calloc(1, sizeof *snoop);
    if (snoop == NULL || inlet_init(&snoop->inlet, stream) != STATUS_OK) {
        free(snoop);
        snprintf(message, MESSAGE_SIZE, "%s: out of memory while opening it", name);
        return STATUS_NO_MEMORY;
    }
    enum status status = snoop_read_header(snoop, name, message);
    if (status != STATUS_OK) {
        snoop_free(snoop);
        return status;
    }
    *ret_reader = snoop;
    return STATUS_OK;
}

static enum reader_result snoop_refuse(const struct snoop *snoop, uint32_t captured,
                                       uint32_t record, char *problem)
{
    snprintf(problem, READER_PROBLEM_SIZE,
             "packet %llu, at octet %llu, claims %u captured octets in a record of %u: nothing "
             "from there on can be trusted",
             (unsigned long long)snoop->packets + 1, (unsigned long long)snoop->inlet.offset,
             captured, record);
    return READER_DAMAGED;
}

static enum reader_result snoop_next(void *reader, struct captured_packet *ret_packet,
                                     char *problem)
{
    struct snoop *snoop = reader;
    struct inlet *inlet = &snoop->inlet;
    enum inlet_result result = inlet_need(inlet, RECORD_HEADER_SIZE);
    if (result != INLET_THERE)
        return inlet_end(inlet, result, RECORD_HEADER_SIZE, snoop->packets, problem);
    uint32_t captured = read_u32(inlet_octets(inlet) + 4, true);
    uint32_t record = read_u32(inlet_octets(inlet) + 8, true);
    if (captured > LARGEST_CAPTURE || record > INLET_MOST || record < RECORD_HEADER_SIZE + captured)
        return snoop_refuse(snoop, captured, record, problem);
    result = inlet_need(inlet, record);
    if (result != INLET_THERE)
        return inlet_end(inlet, result, record, snoop->packets, problem);

    const uint8_t *octets = inlet_octets(inlet);
    ret_packet->data = octets + RECORD_HEADER_SIZE;
    ret_packet->captured = captured;
    ret_packet->length = read_u32(octets, true);
    ret_packet->time = (nanotime)read_u32(octets + 16, true) * NANO_PER_SECOND +
                       (nanotime)read_u32(octets + 20, true) * NANO_PER_MICRO;
    ret_packet->others = 0;
    ret_packet->link_type = snoop->link_type;
    ret_packet->interface = 0;
    uint64_t drops = read_u32(octets + 12, true); /* since the beginning */
    ret_packet->lost = drops > snoop->drops ? drops - snoop->drops : 0;
    snoop->drops = drops;
    snoop->packets++;
    inlet_skip(inlet, record);
    return READER_PACKET;
}

static int snoop_link_type(const void *reader)
{
    const struct snoop *snoop = reader;
    return snoop->link_type;
}

static void snoop_counts(const void *reader, struct source_counts *ret_counts)
{
    const struct snoop *snoop = reader;
    *ret_counts = (struct source_counts){
        .drops = snoop->drops,
        .drops_known = snoop->packets > 0,
    };
}

const struct reader_type reader_snoop = {
    .open = snoop_open,
    .next = snoop_next,
    .link_type = snoop_link_type,
    .counts = snoop_counts,
    .free = snoop_free,
};
