/*
 * source: packets in capture order, from saved files or from a live interface.  The only folder
 * that knows libpcap.
 */
#ifndef LASTACK_SOURCE_SOURCE_H
#define LASTACK_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/captured.h"
#include "../base/status.h"
#include "../base/time.h"

struct source;

struct captured_packet {
    const uint8_t *data;   /* owned by the source, valid until the next source_next() */
    uint32_t captured;     /* octets at data */
    uint32_t length;       /* octets on the wire */
    nanotime time;         /* capture time, ns since the epoch */
    int link_type;         /* DLT_ value */
    uint32_t interface;    /* of the file's section, from 0; 0 where files know none */
    uint32_t input;        /* which input, from 0 */
    uint32_t standpoint;   /* from 1: files that overlap, and interfaces, are different places */
    uint64_t number;       /* in all inputs, in the order of reading, from 1 */
    uint64_t input_packet; /* number within that input, from 1 */
    uint32_t
        others;    /* numbered records of the file before it that are no packets (custom blocks) */
    uint64_t lost; /* packets that the capture is known to have lost since the packet before */
};

enum { PACKETS_A_RUN = 64 }; /* at most */

/*
 * Packets of one interface of one input, that follow each other: they differ in what `packet` says
 * of each, and nothing was lost or left out between them.
 */
struct packet_run {
    size_t count;
    struct captured packet[PACKETS_A_RUN];
    struct captured_packet first;
    nanotime earliest, latest;
};

/* How far several runs have read together. */
struct source_place {
    uint64_t read; /* packets that have a number, those that the filter takes away included */
    uint64_t lost; /* packets that the capture lost since the last one that passed the filter */
};

struct source_options {
    const char *const *files; /* names; "-" is stdin; not owned, must outlive the source */
    size_t file_count;
    const char *const *interfaces; /* live when there are any (then files is empty); not owned */
    size_t interface_count;
    const char *filter;             /* BPF expression or NULL */
    uint64_t count;                 /* stop after this many packets; 0: all */
    int snaplen;                    /* live */
    int buffer_kib;                 /* live: ring size, of an interface */
    uint32_t capture_threads;       /* live: that share the packets of an interface; 0: 1 */
    const char *link_type;          /* live: by libpcap's name; NULL: the interface's own */
    const char *stamp_type;         /* live: likewise */
    bool promiscuous;               /* live */
    bool follow;                    /* wait for more at the end of the last file; see below */
    const char *const *directories; /* with follow: new captures in them are taken up; not owned */
    size_t directory_count;
    struct source_place after; /* saved: what earlier runs had read; all zero: nothing */
};

/* What can be made of a packet before it is its turn. */
struct source_foresight {
    size_t octets; /* of what is made, a multiple of a line of cache */
    bool (*make)(int link_type, const struct captured *packet, void *ret_made); /* any thread */
    void (*offer)(void *context); /* there is something to do again, on the thread that reads */
    void *context;
};

enum source_result {
    SOURCE_PACKET, /* *ret_packet is filled */
    SOURCE_IDLE,   /* live or a slow pipe: nothing now, call again */
    SOURCE_END,    /* all inputs are read */
};

/* How far reading has come, for the progress line. */
struct source_progress {
    uint64_t bytes_read;  /* of the files as stored (compressed size) */
    uint64_t bytes_total; /* 0: unknown (pipe, live) */
    uint64_t packets;
};

/* One interface that a capture was made on, as a pcapng file tells; all sections together. */
struct source_interface {
    char name[64]; /* if_name, else if_description; empty: neither.  From outside: escape it */
    int link_type;
    uint32_t snaplen; /* 0: no limit */
    uint64_t packets;
    uint64_t drops; /* by the interface and by the operating system */
    bool drops_known;
};

/* What a reader counts beside packets; all 0 for formats that know nothing of it. */
struct source_counts {
    uint64_t sections;
    uint64_t comments;       /* opt_comment, wherever */
    uint64_t skipped_blocks; /* whole, but with no packets: names, secrets, custom ones */
    uint64_t damaged_blocks;
    uint64_t drops;
    bool drops_known;
    struct source_interface *interfaces; /* owned by whoever has the counts; NULL: none */
    uint32_t interface_count;
};

/* What became of one input; valid until the next source_next. */
struct source_input {
    const char *name;        /* as given: escape it before it goes into a message */
    const char *format;      /* "pcap", "pcapng", "snoop", "erf"; NULL: live */
    const char *compression; /* NULL: none */
    uint32_t threads;        /* live: that capture on it */
    uint64_t packets;        /* read so far, those that the filter takes away included */
    uint64_t bytes;          /* of the file as stored, once its reading has ended; live: captured */
    bool damaged;            /* cut short or broken */
    char problem[384];       /* one line; empty: none */
    uint64_t first_number;   /* of its first packet in all inputs; 0: none read */
    nanotime first;          /* time of its earliest and latest packet; NANOTIME_UNKNOWN: none */
    nanotime last;
    struct source_counts counts; /* once its reading has ended */
};

/*
 * Opens the inputs.  Every file is opened and its header read before the first packet, so that a
 * wrong name is said at once.  Their packets are merged by time; files that do not overlap are so
 * read one after the other, in order of their first packets.  With standard input or a pipe among
 * them they are read one after the other in any case.
 *
 * follow: at the end of the latest file reading waits for more, until source_break.  When another
 * file comes to have its name, or a capture appears in one of the directories, that one is read
 * next, as a further input.
 *
 * On failure returns the status (NOT_FOUND, DENIED, UNREADABLE, USAGE for a bad filter,
 * NO_MEMORY) and fills message (MESSAGE_SIZE octets) with one line that names the thing, the value
 * and what to do.  On success the caller owns *ret_source.
 */
enum status source_open(const struct source_options *options, struct source **ret_source,
                        char *message);

/* The next packet.  A damaged input ends there (source_input says so) and the next one goes on. */
enum source_result source_next(struct source *source, struct captured_packet *ret_packet);

/*
 * Packets that follow what was given last, and cost no waiting: how many; 0 says nothing, and the
 * run then has no meaning.  All since source_next() gave a packet, that one too, are valid until
 * the next source_next().
 */
size_t source_run(struct source *source, struct packet_run *ret_run);

/*
 * From now on threads that have nothing else to do may call source_read_ahead(), up to the last
 * call of source_next(): it reads on in an ordinary file, and makes of each packet what can be made
 * of it; false: there is nothing to do now.  The packets are the same.
 */
void source_foresee(struct source *source, const struct source_foresight *foresight);
bool source_read_ahead(void *source);

/* Makes a blocking source_next return soon with SOURCE_END; safe in a signal handler. */
void source_break(struct source *source);

/* Inputs are numbered in reading order; standard input and pipes keep the place they were given. */
size_t source_input_count(const struct source *source);
const struct source_input *source_input(const struct source *source, size_t index);

/* Live: notes which interfaces have failed so far, in their inputs' damaged and problem. */
void source_note_ended(struct source *source);

struct source_place source_place(const struct source *source);
struct source_progress source_progress(const struct source *source);

/*
 * Live: libpcap's three counters; saved: packets read and what the files tell of drops.  False
 * where nothing is known of drops.
 */
bool source_drops(struct source *source, uint64_t *ret_received, uint64_t *ret_dropped,
                  uint64_t *ret_interface_dropped);

/* The name of a link type, e.g. "EN10MB"; static storage, or "UNKNOWN". */
const char *source_link_type_name(int link_type);

/* Writes the list of interfaces to stream, a line each, or as JSON.  Returns DENIED or OK, with
 * message. */
enum status source_list_interfaces(void *file_stream, bool json, char *message);

void source_free(struct source *source); /* accepts NULL */

#endif
