/* pcapng: the parts of its reader that are not about blocks: options, interfaces, times. */
#ifndef LASTACK_SOURCE_PCAPNG_H
#define LASTACK_SOURCE_PCAPNG_H

#include "reader.h"

/* One interface of the section at hand. */
struct pcapng_interface {
    int link_type;
    uint32_t snaplen;   /* 0: no limit */
    uint8_t resolution; /* if_tsresol as stored: a power of 10, with the top bit of 2 */
    int64_t offset;     /* if_tsoffset: seconds to add */
    uint32_t row;       /* in the report's list; PCAPNG_NO_ROW: it is full */
    uint64_t noted;     /* drops that packets told, where no statistics come */
    uint64_t counted;   /* drops that statistics told */
};

#define PCAPNG_NO_ROW UINT32_MAX

/* All interfaces, of the section and of the whole file. */
struct pcapng_interfaces {
    struct pcapng_interface *here; /* owned; of the section */
    uint32_t count, room;
    struct source_interface *rows; /* owned; for the report */
    uint32_t row_count, row_room;
    uint64_t drops; /* of all interfaces, those beyond the report's list, too */
    bool drops_known;
};

/* Options: what is walked over, and one of them. */
struct pcapng_options {
    const uint8_t *at;
    const uint8_t *end;
    bool big_endian;
};

struct pcapng_option {
    uint16_t code;
    uint16_t length;
    const uint8_t *value;
};

enum { PCAPNG_COMMENT = 1 };

/* The next option; false at the end of them, and where one does not fit. */
bool pcapng_next_option(struct pcapng_options *options, struct pcapng_option *ret_option);

/* How many of the options are comments. */
uint64_t pcapng_count_comments(struct pcapng_options options);

/*
 * An Interface Description Block's body: a further interface of the section.  USAGE when the body
 * is too short or the section has too many; NO_MEMORY.
 */
enum status pcapng_add_interface(struct pcapng_interfaces *all, const uint8_t *body, size_t size,
                                 bool big_endian);

/* An Interface Statistics Block's body; USAGE when it is too short or names no interface. */
enum status pcapng_note_statistics(struct pcapng_interfaces *all, const uint8_t *body, size_t size,
                                   bool big_endian);

/* Drops that a packet itself tells. */
void pcapng_note_drops(struct pcapng_interfaces *all, struct pcapng_interface *of, uint64_t drops);

/* The moment that a time stamp of the interface means, in ns; saturates. */
nanotime pcapng_time(const struct pcapng_interface *interface, uint64_t stamp);

/* A new section knows no interfaces. */
void pcapng_forget_interfaces(struct pcapng_interfaces *all);

void pcapng_clear_interfaces(struct pcapng_interfaces *all);

#endif
