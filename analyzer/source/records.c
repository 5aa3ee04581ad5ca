/* records: see records.h. */
#include "records.h"

/* What is the same for all records of a file: constants where take_packets() is inlined. */
struct form {
    bool big_endian;
    bool swaps; /* a record's lengths may stand the other way round */
};

static inline struct lengths lengths_of(const struct records *records, const uint8_t *record,
                                        struct form form)
{
    if (form.swaps)
        return records_lengths(records, record);
    return (struct lengths){read_u32(record + 8, form.big_endian),
                            read_u32(record + 12, form.big_endian)};
}

/* As far as one record may go: what claims more is then not whole, though there may be as much. */
static inline const uint8_t *span_limited(const struct span *span)
{
    enum { MOST = RECORD_HEADER_SIZE + LARGEST_CAPTURE };
    return span->end - span->at > MOST ? span->at + MOST : span->end;
}

static inline __attribute__((always_inline)) size_t
take_packets(const struct records *file, struct form form, struct span *span,
             struct run_wanted wanted, struct captured *ret_packets,
             struct records_times *ret_times)
{
    const struct records records = *file; /* which nothing that is written may be a part of */
    const uint8_t *at = span->at, *const end = span_limited(span);
    nanotime earliest = INT64_MAX, latest = INT64_MIN;
    struct captured *packet = ret_packets, *const room = packet + wanted.room;
    for (; packet < room && (size_t)(end - at) >= RECORD_HEADER_SIZE; packet++) {
        struct lengths lengths = lengths_of(&records, at, form);
        const size_t size = RECORD_HEADER_SIZE + (size_t)lengths.captured;
        nanotime time = records_time(&records, at, form.big_endian);
        if ((size_t)(end - at) < size || time_is_before(wanted.until, time))
            break;
        *packet = (struct captured){at + RECORD_HEADER_SIZE,
                                    records_kept(&records, lengths),
                                    lengths.wire,
                                    time,
                                    ++wanted.before,
                                    NULL};
        if (time_is_before(time, latest))
            earliest = time_earlier_of(earliest, time);
        else
            latest = time;
        at += size;
    }
    span->at = at;
    const size_t count = (size_t)(packet - ret_packets);
    ret_times->latest = latest;
    ret_times->earliest = count > 0 ? time_earlier_of(earliest, ret_packets->time) : earliest;
    return count;
}

size_t records_take(const struct records *records, struct span *span, struct run_wanted wanted,
                    struct captured *ret_packets, struct records_times *ret_times)
{
    if (records->lengths_swapped || records->lengths_maybe_swapped)
        return take_packets(records, (struct form){records->big_endian, true}, span, wanted,
                            ret_packets, ret_times);
    return records->big_endian ? take_packets(records, (struct form){true, false}, span, wanted,
                                              ret_packets, ret_times)
                               : take_packets(records, (struct form){false, false}, span, wanted,
                                              ret_packets, ret_times);
}

static void skip_whole(const struct records *records, struct span *span)
{
    while ((size_t)(span->end - span->at) >= RECORD_HEADER_SIZE) {
        const uint32_t captured = records_lengths(records, span->at).captured;
        if (captured > LARGEST_CAPTURE ||
            (size_t)(span->end - span->at) < RECORD_HEADER_SIZE + (size_t)captured)
            break;
        span->at += RECORD_HEADER_SIZE + captured;
    }
}

struct ahead_walk records_walk(const struct records *records, const uint8_t *octets, size_t size,
                               size_t room, struct captured *ret_packets)
{
    struct span span = {octets, octets + size};
    struct records_times ignored;
    struct ahead_walk walked = {0};
    size_t count = room;
    while (count > 0 && walked.count < room) {
        const struct run_wanted wanted = {INT64_MAX, 0, room - walked.count};
        count = records_take(records, &span, wanted, ret_packets + walked.count, &ignored);
        walked.count += count;
    }
    walked.noted = (size_t)(span.at - octets);
    skip_whole(records, &span);
    walked.whole = (size_t)(span.at - octets);
    return walked;
}
