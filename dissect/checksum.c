/*
 * checksum: the TCP checksum, RFC 9293 3.1 over the pseudo-headers of IPv4 and RFC 8200 8.1.
 *
 * A host whose card sums for it hands down the segment with the pseudo-header's sum alone in the
 * field (Linux CHECKSUM_PARTIAL, which a merged receive also leaves); a capture there sees that.
 */
#include "tcp.h"

#include "packet.h"
#include "sum.h"
#include "sum_vectors.h"

enum { ADDRESS = 16, LONG = 128 /* octets, from which on vectors are worth asking for */ };

/* Folds to sixteen bits, carries added in at the bottom; only a sum of 0 gives 0. */
static uint16_t sum_fold(uint64_t sum)
{
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)sum;
}

/*
 * The words of a view in memory order, not yet folded.  Two sums run side by side, because each
 * addition waits for the one before.
 */
static inline uint64_t sum_words(struct view view)
{
    struct sum even = {view_memory_last(view), 0};
    struct sum odd = {0};
    for (; view_holds(view, 16); view = view_after(view, 16)) {
        sum_add(&even, view_memory64(view, 0));
        sum_add(&odd, view_memory64(view, 8));
    }
    if (view_holds(view, 8))
        sum_add(&odd, view_memory64(view, 0));
    return sum_total(even) + sum_total(odd);
}

static inline uint64_t sum_memory(struct view view)
{
    return view_holds(view, LONG) && sum_has_vectors() ? sum_vectors(view) : sum_words(view);
}

/* Both addresses; IPv4 ones have zeros behind them, which add nothing. */
static uint64_t sum_addresses(const struct segment *segment)
{
    struct view source = {segment->source, ADDRESS};
    struct view destination = {segment->destination, ADDRESS};
    struct sum sum = {view_memory64(source, 0), 0};
    sum_add(&sum, view_memory64(source, 8));
    sum_add(&sum, view_memory64(destination, 0));
    sum_add(&sum, view_memory64(destination, 8));
    return sum_total(sum);
}

/* From memory order to a number. */
static uint32_t sum_number(uint64_t sum)
{
    uint16_t folded = sum_fold(sum);
    struct view memory = {(const uint8_t *)&folded, sizeof folded};
    return view_u16(memory, 0);
}

/* What of the pseudo-header is not addresses: protocol and length, in numbers. */
static uint32_t sum_rest(uint8_t protocol, uint32_t length)
{
    return (uint32_t)protocol + (length >> 16) + (length & 0xffff);
}

static enum checksum_verdict judge_not_good(uint32_t length, const struct segment *segment)
{
    uint32_t pseudo = sum_number(sum_addresses(segment)) + sum_rest(PROTOCOL_TCP, length);
    return segment->checksum == sum_fold(pseudo) ? CHECKSUM_PARTIAL : CHECKSUM_BAD;
}

enum checksum_verdict checksum_judge(struct view tcp, uint32_t length,
                                     const struct segment *segment)
{
    if (tcp.octets < length)
        return CHECKSUM_UNVERIFIED;
    if (sum_is_good(sum_addresses(segment) + sum_memory(tcp), length))
        return CHECKSUM_GOOD;
    return judge_not_good(length, segment);
}

enum checksum_verdict checksum_judge_behind(struct view addresses, uint32_t length,
                                            const struct segment *segment)
{
    if (sum_is_good(sum_memory(addresses), length))
        return CHECKSUM_GOOD;
    return judge_not_good(length, segment);
}

bool checksum_is_wrong(struct view message, uint32_t length, uint8_t protocol,
                       const struct segment *segment)
{
    enum { FIELD = 2, HEADER = 4 };
    if (message.octets < length || length < HEADER || view_u16(message, FIELD) == 0)
        return false;
    uint64_t sum = sum_number(sum_memory(view_first(message, length)));
    if (protocol == PROTOCOL_ICMP6) /* its pseudo-header */
        sum =
            (uint64_t)sum_number(sum_addresses(segment) + sum_memory(view_first(message, length))) +
            sum_rest(protocol, length);
    return sum_fold(sum) != 0xffff;
}
