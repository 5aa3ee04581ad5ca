/*
 * erf: reader of Endace's extensible record format, Ethernet, IP and PPP/HDLC records, with
 * extension headers.  Other records (meta data, padding, ATM) are skipped and counted.
 *
 *     0  seconds' fraction, 32 bits, little-endian   4  seconds, 32 bits, little-endian
 *     8  type; top bit: extension headers follow     9  flags; lower two bits: the interface
 *    10  length of the record                       12  packets lost before it, or a colour
 *    14  length on the wire                         16  extension headers of 8 octets, each with
 *                                                       the top bit set if another follows
 *
 * The format has no magic number: erf_can_read judges the first record.
 */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "inlet.h"
#include "octets.h"
#include "reader.h"

enum {
    RECORD_HEADER_SIZE = 16,
    EXTENSION_SIZE = 8,
    MORE = 0x80,
    INTERFACE = 3,
    EARLIEST = 631152000, /* 1990: seconds that a clock may show */
    ETHERNET_PAD = 2,
};

struct kind {
    uint8_t type;
    int link_type;
    uint8_t pad;     /* octets before the frame */
    bool tells_loss; /* the field has no colour in it */
};

/* clang-format off */
static const struct kind kinds[] = {
    { 1, DLT_CHDLC,        0,            true},  /* HDLC over POS */
    { 2, DLT_EN10MB,       ETHERNET_PAD, true},
    {10, DLT_CHDLC,        0,            false}, /* with a colour */
    {11, DLT_EN10MB,       ETHERNET_PAD, false},
    {15, DLT_CHDLC,        0,            false}, /* with a colour by the card */
    {16, DLT_EN10MB,       ETHERNET_PAD, false},
    {20, DLT_EN10MB,       ETHERNET_PAD, false}, /* with a colour and a hash */
    {22, DLT_RAW,          0,            true},  /* IPv4 */
    {23, DLT_RAW,          0,            true},  /* IPv6 */
};
/* clang-format on */

enum { TYPE_META = 27 };

struct erf {
    struct inlet inlet;
    int link_type; /* of the first record */
    uint64_t packets;
    uint64_t drops;
    uint64_t skipped;
};

static const struct kind *find_kind(uint8_t type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].type == (type & ~MORE))
            return &kinds[i];
    return NULL;
}

bool erf_can_read(const uint8_t *head, size_t size)
{
    if (size < RECORD_HEADER_SIZE)
        return false;
    uint16_t record = read_u16(head + 10, true);
    uint16_t length = read_u16(head + 14, true);
    if (record < RECORD_HEADER_SIZE)
        return false;
    if ((head[8] & ~MORE) == TYPE_META) /* it may have no time */
        return (head[8] & MORE) != 0 && record % 8 == 0;
    if (read_u32(head + 4, false) < EARLIEST)
        return false;
    return find_kind(head[8]) != NULL && length > 0 && record % 8 == 0;
}

static void erf_free(void *reader)
{
    struct erf *erf = reader;
    if (erf == NULL)
        return;
    inlet_clear(&erf->inlet);
    free(erf);
}

static enum status erf_open(struct stream *stream, const char *name, void **ret_reader,
                            char *message)
{
    size_t size;
    const struct kind *kind = find_kind(stream_head(stream, &size)[8]);
    struct erf *erf = calloc(1, sizeof *erf);
    if (erf == NULL || inlet_init(&erf->inlet, stream) != STATUS_OK) {
        free(erf);
        snprintf(message, MESSAGE_SIZE, "%s: out of memory while opening it", name);
        return STATUS_NO_MEMORY;
    }
    erf->link_type = kind != NULL ? kind->link_type : LINK_TYPE_UNKNOWN;
    *ret_reader = erf;
    return STATUS_OK;
}

static enum reader_result erf_refuse(const struct erf *erf, char *problem)
{
    snprintf(problem, READER_PROBLEM_SIZE,
             "packet %llu, at octet %llu, has a record length that cannot be: nothing from there "
             "on can be trusted",
             (unsigned long long)erf->packets + 1, (unsigned long long)erf->inlet.offset);
    return READER_DAMAGED;
}

/* Octets of the record before the frame; more than the record when they do not fit. */
static size_t erf_frame_at(const uint8_t *octets, size_t record, const struct kind *kind)
{
    size_t at = RECORD_HEADER_SIZE;
    bool more = (octets[8] & MORE) != 0;
    while (more && at + EXTENSION_SIZE <= record) {
        more = (octets[at] & MORE) != 0;
        at += EXTENSION_SIZE;
    }
    return more ? record + 1 : at + kind->pad;
}

static nanotime erf_time(const uint8_t *octets)
{
    uint64_t fraction = read_u32(octets, false);
    return (nanotime)read_u32(octets + 4, false) * NANO_PER_SECOND +
           (nanotime)(fraction * NANO_PER_SECOND >> 32);
}

/* The record at hand, all there; false: it has no packet. */
static bool erf_take(struct erf *erf, size_t record, struct captured_packet *packet)
{
    const uint8_t *octets = inlet_octets(&erf->inlet);
    const struct kind *kind = find_kind(octets[8]);
    size_t at = kind != NULL ? erf_frame_at(octets, record, kind) : 0;
    if (kind == NULL || at > record) {
        erf->skipped++;
        return false;
    }
    uint16_t length = read_u16(octets + 14, true);
    packet->data = octets + at;
    packet->captured = (uint32_t)(record - at < length ? record - at : length);
    packet->length = length;
    packet->time = erf_time(octets);
    packet->others = 0;
    packet->link_type = kind->link_type;
    packet->interface = octets[9] & INTERFACE;
    packet->lost = kind->tells_loss ? read_u16(octets + 12, true) : 0;
    erf->drops += packet->lost;
    erf->packets++;
    return true;
}

static enum reader_result erf_next(void *reader, struct captured_packet *ret_packet, char *problem)
{
    struct erf *erf = reader;
    struct inlet *inlet = &erf->inlet;
    for (;;) {
        enum inlet_result result = inlet_need(inlet, RECORD_HEADER_SIZE);
        if (result != INLET_THERE)
            return inlet_end(inlet, result, RECORD_HEADER_SIZE, erf->packets, problem);
        size_t record = read_u16(inlet_octets(inlet) + 10, true);
        if (record < RECORD_HEADER_SIZE)
            return erf_refuse(erf, problem);
        result = inlet_need(inlet, record);
        if (result != INLET_THERE)
            return inlet_end(inlet, result, record, erf->packets, problem);
        bool has_packet = erf_take(erf, record, ret_packet);
        inlet_skip(inlet, record);
        if (has_packet)
            return READER_PACKET;
    }
}

static int erf_link_type(const void *reader)
{
    const struct erf *erf = reader;
    return erf->link_type;
}

static void erf_counts(const void *reader, struct source_counts *ret_counts)
{
    const struct erf *erf = reader;
    *ret_counts = (struct source_counts){
        .skipped_blocks = erf->skipped,
        .drops = erf->drops,
        .drops_known = erf->packets > 0,
    };
}

const struct reader_type reader_erf = {
    .open = erf_open,
    .next = erf_next,
    .link_type = erf_link_type,
    .counts = erf_counts,
    .free = erf_free,
};
