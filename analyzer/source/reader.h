/*
 * reader: the packets in a stream.  Our own for what is common or simple; libpcap's for the rare
 * forms of pcap.
 */
#ifndef LASTACK_SOURCE_READER_H
#define LASTACK_SOURCE_READER_H

#include "source.h"
#include "stream.h"

enum { READER_PROBLEM_SIZE = sizeof((struct source_input *)0)->problem };

enum { LINK_TYPE_UNKNOWN = -1 };

enum { LARGEST_CAPTURE = 262144 }; /* octets of one packet; libpcap's limit for most link types */

/*
 * Times that a file may claim, in ns: what lies outside becomes the nearest of them, which leaves
 * room for counting on.  The later one is in the year 2116.
 */
#define READER_LATEST   (INT64_MAX / 2)
#define READER_EARLIEST (-READER_LATEST)

enum reader_result {
    READER_PACKET,
    READER_IDLE,    /* nothing now: a slow pipe, or source_break was called */
    READER_END,     /* the whole input is read */
    READER_DAMAGED, /* the problem is told; nothing more can be read */
};

/* A run that is asked for. */
struct run_wanted {
    nanotime until;
    uint64_t before; /* number of the packet before, in all inputs */
    size_t room;     /* at least 1 */
};

struct reader_type {
    /*
     * Reads the file header.  The stream stays the caller's and must outlive the reader; name is
     * fit for a message.  Fails with UNREADABLE or NO_MEMORY and a message.
     */
    enum status (*open)(struct stream *stream, const char *name, void **ret_reader, char *message);

    /* Fills all of *ret_packet but input and input_packet; problem on READER_DAMAGED. */
    enum reader_result (*next)(void *reader, struct captured_packet *ret_packet, char *problem);

    /*
     * Packets that are in memory already, as next would give them, as long as their time is not
     * behind `until`: how many, up to room.  Reads nothing, and what was given out last stays
     * valid.  Fills of the run all but its count, of its first what is no part of struct captured;
     * numbers go on from `before`.  NULL: none ever.
     */
    size_t (*more)(void *reader, struct run_wanted wanted, struct packet_run *ret_run);

    /* Of the first interface; LINK_TYPE_UNKNOWN when the file has none. */
    int (*link_type)(const void *reader);

    /* What was counted beside the packets; the caller frees ret_counts->interfaces.  NULL: none. */
    void (*counts)(const void *reader, struct source_counts *ret_counts);

    void (*free)(void *reader); /* accepts NULL */
};

extern const struct reader_type reader_classic;
extern const struct reader_type reader_pcapng;
extern const struct reader_type reader_snoop;
extern const struct reader_type reader_erf;
extern const struct reader_type reader_libpcap;

/* True when reader_classic reads the file that begins with the octets (24 at least) as libpcap. */
bool classic_can_read(const uint8_t *head, size_t size);

/* Whether the octets begin an ERF record; the format has no magic number. */
bool erf_can_read(const uint8_t *head, size_t size);

/* The DLT_ value here for a link type as a pcap or pcapng file numbers it. */
int link_type_of_file(uint32_t field);

#endif
