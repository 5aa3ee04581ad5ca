/* zeek_numbers: start, last and acked of an end, and how often each passed 2^32. */
#include "zeek_numbers.h"

enum {
    /* Zeek's TOO_LARGE_SEQ_DELTA: a SYN or RST so far off, and an ACK of 0, is not believed. */
    IMPLAUSIBLE = 1048576,
    MOST_WRAPS = 3, /* only none or some matters, and one of some may be taken back */
};

uint32_t zeek_numbers_length(const struct segment *segment)
{
    uint32_t length = segment->flags & TCP_RST ? 0 : segment->payload;
    if (segment->flags & TCP_SYN)
        length++;
    if (segment->flags & TCP_FIN)
        length++;
    return length;
}

static void end_start_at(struct zeek_end *end, seq start, seq last)
{
    end->start = start;
    end->acked = start;
    end->last = last;
}

void zeek_numbers_start(struct zeek_end *end, const struct segment *segment)
{
    seq first = segment->sequence;
    bool syn = segment->flags & TCP_SYN;

    if (end->state == ZEEK_INACTIVE && !syn) {
        end_start_at(end, first - 1, first);
        return;
    }
    if (!syn || end->state == ZEEK_CLOSED)
        return;
    if (end->state == ZEEK_RESET && end->previous != ZEEK_INACTIVE)
        return;
    /* The same SYN again; one in a connection starts it anew, whatever its number. */
    if ((end->state == ZEEK_SYN_SENT || end->state == ZEEK_SYN_ACK_SENT) && first == end->start)
        return;
    end_start_at(end, first, seq_add(first, zeek_numbers_length(segment)));
}

void zeek_numbers_start_silent(struct zeek_end *end, seq acknowledgment)
{
    end_start_at(end, acknowledgment - 1, acknowledgment - 1);
}

/* Zeek's get_relative_seq: `wraps` is of `last`; the number may lie beyond, or before, a wrap. */
static bool number_underflows(const struct zeek_end *end, seq number, seq last, uint32_t wraps)
{
    int32_t distance = seq_distance(number, last);

    if (distance < 0 && wraps > 0 && number > last)
        wraps--;
    else if (distance > 0 && number < last)
        wraps++;
    return wraps == 0 && seq_before(number, end->start);
}

bool zeek_numbers_underflow(const struct zeek_end *end, seq sequence)
{
    return number_underflows(end, sequence, end->last, end->wraps);
}

bool zeek_numbers_ack_underflows(const struct zeek_end *end, seq acknowledgment)
{
    return number_underflows(end, acknowledgment, end->acked, end->ack_wraps);
}

void zeek_numbers_acknowledge(struct zeek_end *end, seq acknowledgment)
{
    int32_t advance = seq_distance(acknowledgment, end->acked);

    if (advance <= 0)
        return;
    if (acknowledgment == 0 && advance > IMPLAUSIBLE)
        return;
    if (acknowledgment < end->acked && end->ack_wraps < MOST_WRAPS)
        end->ack_wraps++;
    end->acked = acknowledgment;
}

static void end_move_last(struct zeek_end *end, seq last)
{
    if (last < end->last && end->wraps < MOST_WRAPS)
        end->wraps++;
    end->last = last;
}

bool zeek_numbers_advance(struct zeek_end *end, const struct segment *segment)
{
    seq last = seq_add(segment->sequence, zeek_numbers_length(segment));
    int32_t advance = seq_distance(last, end->last);

    if (segment->flags & (TCP_SYN | TCP_RST) && (advance > IMPLAUSIBLE || advance < -IMPLAUSIBLE))
        return false;
    /* Only SYN and FIN of a stream longer than 2^31 were seen: the FIN is right. */
    if (segment->flags & TCP_FIN && end->last == seq_add(end->start, 1)) {
        end_move_last(end, last);
        return false;
    }
    if (end->state == ZEEK_RESET)
        return false;
    if (advance > 0) {
        end_move_last(end, last);
        return false;
    }
    return segment->payload > 0;
}
