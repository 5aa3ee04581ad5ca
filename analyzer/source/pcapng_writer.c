/* pcapng_writer: see pcapng_writer.h. */
#include "pcapng_writer.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SECTION = 0x0A0D0D0A,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    BYTE_ORDER_MAGIC = 0x1A2B3C4D,
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_APPLICATION = 4, /* of a section */
    OPTION_RESOLUTION = 9,  /* of an interface: if_tsresol */
    NANOSECONDS = 9,
    LONGEST_OPTION = 65535,
    BLOCK_EDGE = 12, /* type and both lengths */
    PACKET_FIXED = 20,
    INTERFACES = 64, /* in one file */
};

/* What packets of one interface have in common. */
struct origin {
    int link_type;
    uint32_t standpoint, interface; /* as in struct captured_packet */
};

struct pcapng_writer {
    FILE *stream;                     /* not owned */
    struct origin origin[INTERFACES]; /* by interface */
    uint32_t interfaces;
};

static uint32_t padded(uint32_t octets)
{
    return (octets + 3) & ~UINT32_C(3);
}

static void put(struct pcapng_writer *writer, const void *octets, uint32_t length)
{
    static const uint8_t zeros[4] = {0};
    fwrite(octets, 1, length, writer->stream);
    fwrite(zeros, 1, padded(length) - length, writer->stream);
}

static void put32(struct pcapng_writer *writer, uint32_t number)
{
    put(writer, &number, sizeof(number));
}

/* Two 16-bit fields side by side, as both orders of octets have them. */
static void put16(struct pcapng_writer *writer, uint16_t first, uint16_t second)
{
    const uint16_t pair[2] = {first, second};
    put(writer, pair, sizeof(pair));
}

static uint32_t option_length(const char *text)
{
    size_t length = strlen(text);
    return length > LONGEST_OPTION ? LONGEST_OPTION : (uint32_t)length;
}

static void put_option(struct pcapng_writer *writer, uint16_t code, const void *value,
                       uint32_t length)
{
    put16(writer, code, (uint16_t)length);
    put(writer, value, length);
}

static enum status status_of(const struct pcapng_writer *writer)
{
    return ferror(writer->stream) != 0 ? STATUS_WRITE : STATUS_OK;
}

static void put_section(struct pcapng_writer *writer, const char *application)
{
    const int64_t unknown = -1; /* length of the section: it ends with the file */
    uint32_t name = option_length(application);
    uint32_t total = BLOCK_EDGE + 16 + 4 + padded(name) + 4;
    put32(writer, BLOCK_SECTION);
    put32(writer, total);
    put32(writer, BYTE_ORDER_MAGIC);
    put16(writer, 1, 0); /* version */
    put(writer, &unknown, sizeof(unknown));
    put_option(writer, OPTION_APPLICATION, application, name);
    put_option(writer, OPTION_END, "", 0);
    put32(writer, total);
}

enum status pcapng_writer_new(FILE *stream, const char *application,
                              struct pcapng_writer **ret_writer)
{
    struct pcapng_writer *writer = calloc(1, sizeof(*writer));
    if (writer == NULL)
        return STATUS_NO_MEMORY;
    writer->stream = stream;
    put_section(writer, application);
    enum status status = status_of(writer);
    if (status != STATUS_OK) {
        pcapng_writer_free(writer);
        return status;
    }
    *ret_writer = writer;
    return STATUS_OK;
}

static void put_interface(struct pcapng_writer *writer, int link_type)
{
    const uint8_t resolution = NANOSECONDS;
    uint32_t total = BLOCK_EDGE + 8 + 4 + padded(sizeof(resolution)) + 4;
    put32(writer, BLOCK_INTERFACE);
    put32(writer, total);
    put16(writer, (uint16_t)link_type, 0);
    put32(writer, 0); /* no limit to a packet's length */
    put_option(writer, OPTION_RESOLUTION, &resolution, sizeof(resolution));
    put_option(writer, OPTION_END, "", 0);
    put32(writer, total);
}

/* What a system calls DLT_RAW has another number in files (pcap-linktype(7)). */
static int number_in_files(int link_type)
{
    enum { LINKTYPE_RAW = 101 };
    return link_type == DLT_RAW ? LINKTYPE_RAW : link_type;
}

static bool is_of(const struct origin *origin, const struct captured_packet *packet)
{
    return origin->link_type == packet->link_type && origin->standpoint == packet->standpoint &&
           origin->interface == packet->interface;
}

/*
 * The interface for a packet; its block is written when it is new.  When all are taken, one of the
 * same link type serves; false: there is none.
 */
static bool find_interface(struct pcapng_writer *writer, const struct captured_packet *packet,
                           uint32_t *ret_interface)
{
    bool found = false;
    for (uint32_t i = 0; i < writer->interfaces; i++) {
        if (writer->origin[i].link_type == packet->link_type && !found) {
            *ret_interface = i;
            found = true;
        }
        if (is_of(&writer->origin[i], packet)) {
            *ret_interface = i;
            return true;
        }
    }
    if (writer->interfaces == INTERFACES)
        return found;
    *ret_interface = writer->interfaces;
    writer->origin[writer->interfaces++] =
        (struct origin){packet->link_type, packet->standpoint, packet->interface};
    put_interface(writer, number_in_files(packet->link_type));
    return true;
}

static uint32_t comments_length(const char *const *comments, size_t comment_count)
{
    uint32_t length = comment_count == 0 ? 0 : 4;
    for (size_t i = 0; i < comment_count; i++)
        length += 4 + padded(option_length(comments[i]));
    return length;
}

enum status pcapng_writer_packet(struct pcapng_writer *writer, const struct captured_packet *packet,
                                 const char *const *comments, size_t comment_count)
{
    uint32_t interface;
    if (!find_interface(writer, packet, &interface))
        return STATUS_OK;
    uint64_t time = (uint64_t)packet->time;
    uint32_t total = BLOCK_EDGE + PACKET_FIXED + padded(packet->captured) +
                     comments_length(comments, comment_count);
    put32(writer, BLOCK_PACKET);
    put32(writer, total);
    put32(writer, interface);
    put32(writer, (uint32_t)(time >> 32));
    put32(writer, (uint32_t)time);
    put32(writer, packet->captured);
    put32(writer, packet->length);
    put(writer, packet->data, packet->captured);
    for (size_t i = 0; i < comment_count; i++)
        put_option(writer, OPTION_COMMENT, comments[i], option_length(comments[i]));
    if (comment_count > 0)
        put_option(writer, OPTION_END, "", 0);
    put32(writer, total);
    return status_of(writer);
}

void pcapng_writer_free(struct pcapng_writer *writer)
{
    free(writer);
}
