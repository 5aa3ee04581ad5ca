/*
 * records: the records of a classic pcap file, as they stand in memory.
 *
 *      0  seconds            8  captured length
 *      4  micro- or nanos   12  length on the wire      16  captured octets
 */
#ifndef LASTACK_SOURCE_RECORDS_H
#define LASTACK_SOURCE_RECORDS_H

#include "ahead.h"
#include "octets.h"
#include "reader.h"

enum { RECORD_HEADER_SIZE = 16 };

/* How the records of a file are written. */
struct records {
    bool big_endian;
    bool lengths_swapped;       /* before 2.3 the two lengths stood the other way round */
    bool lengths_maybe_swapped; /* some writers of 2.3 did it still */
    uint32_t fraction_nanos;    /* what one unit of the time's fraction is worth */
    uint32_t snaplen;
};

/* The two lengths in a record's header. */
struct lengths {
    uint32_t captured, wire;
};

/* Octets, from a record's first one on. */
struct span {
    const uint8_t *at, *end;
};

struct records_times {
    nanotime earliest, latest;
};

static inline struct lengths records_lengths(const struct records *records, const uint8_t *record)
{
    struct lengths lengths = {read_u32(record + 8, records->big_endian),
                              read_u32(record + 12, records->big_endian)};
    bool swapped = records->lengths_swapped ||
                   (records->lengths_maybe_swapped && lengths.captured > lengths.wire);
    return swapped ? (struct lengths){lengths.wire, lengths.captured} : lengths;
}

static inline nanotime records_time(const struct records *records, const uint8_t *record,
                                    bool big_endian)
{
    nanotime seconds = read_u32(record, big_endian);
    nanotime fraction = read_u32(record + 4, big_endian);
    return seconds * NANO_PER_SECOND + fraction * records->fraction_nanos;
}

/* Of the captured octets, how many count. */
static inline uint32_t records_kept(const struct records *records, struct lengths lengths)
{
    return lengths.captured < records->snaplen ? lengths.captured : records->snaplen;
}

/* Of no packet at all. */
static inline struct records_times records_no_times(void)
{
    return (struct records_times){INT64_MAX, INT64_MIN};
}

static inline void records_note_time(struct records_times *times, nanotime time)
{
    times->earliest = time_earlier_of(times->earliest, time);
    times->latest = time_later_of(times->latest, time);
}

/*
 * Gives out packets up to one that is not whole in the span, claims more octets than can be, or is
 * of a time behind wanted.until: how many; those that stay are left in the span.  It may end
 * before, but not without any.
 */
size_t records_take(const struct records *records, struct span *span, struct run_wanted wanted,
                    struct captured *ret_packets, struct records_times *ret_times);

/* Notes up to room packets, and finds where the records that are whole end. */
struct ahead_walk records_walk(const struct records *records, const uint8_t *octets, size_t size,
                               size_t room, struct captured *ret_packets);

#endif
