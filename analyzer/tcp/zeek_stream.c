/*
 * zeek_stream: Zeek's TCP_Reassembler without the octets.
 *
 *      1         delivered      island        island_end
 *      |-- in order --|   hole    |== received ==|
 *
 * Data beyond the island makes it longer; the hole between is hidden, and only counted.  A segment
 * that lies inside what is taken for received fills a hidden hole, if there is one.
 */
#include "zeek_stream.h"

#include "../base/seq.h"

enum {
    ABOVE_HOLE_WITHOUT_ACKS = 16384,      /* tcp_max_above_hole_without_any_acks */
    DATA_WITHOUT_ACKS = 10 * 1024 * 1024, /* tcp_excessive_data_without_further_acks */
    MOST_HIDDEN = 15,
};

static bool stream_has_island(const struct zeek_end *end)
{
    return end->island != end->island_end;
}

static void stream_drop_island(struct zeek_end *end)
{
    end->island = end->island_end = 0;
}

/* What was delivered has reached the island: it follows. */
static void stream_join_island(struct zeek_end *end)
{
    if (!stream_has_island(end) || seq_before(end->delivered, end->island))
        return;
    end->delivered = seq_later_of(end->delivered, end->island_end);
    stream_drop_island(end);
}

static void stream_fill_hidden(struct zeek_end *end)
{
    if (end->hidden > 0)
        end->hidden--;
}

static void stream_hide(struct zeek_end *end)
{
    if (end->hidden < MOST_HIDDEN)
        end->hidden++;
}

static void stream_add_to_island(struct zeek_end *end, uint32_t left, uint32_t right)
{
    if (!stream_has_island(end)) {
        end->island = left;
        end->island_end = right;
        return;
    }
    if (seq_at_or_after(left, end->island) && seq_at_or_before(right, end->island_end)) {
        stream_fill_hidden(end);
        return;
    }
    if (seq_after(left, end->island_end) || seq_before(right, end->island))
        stream_hide(end);
    if (seq_before(left, end->island))
        end->island = left;
    end->island_end = seq_later_of(end->island_end, right);
}

/*
 * Zeek stops following a stream whose acknowledgments it presumably does not see.  What it holds
 * unacknowledged is known here up to the first hole, and above it while nothing is hidden there.
 */
static bool stream_is_hopeless(const struct zeek_end *end)
{
    uint32_t acked = end->acked - end->start;
    uint32_t held = end->delivered - acked;

    if (acked <= 1)
        return stream_has_island(end) &&
               seq_distance(end->island_end, end->delivered) > ABOVE_HOLE_WITHOUT_ACKS;
    if (seq_before(end->delivered, acked))
        held = 0;
    if (end->hidden == 0)
        held += end->island_end - end->island;
    return held > DATA_WITHOUT_ACKS;
}

void zeek_stream_data(struct zeek_end *end, uint32_t relative, uint32_t octets)
{
    uint32_t acked = end->acked - end->start;
    uint32_t right = seq_add(relative, octets);

    if (end->given_up)
        return;
    if (seq_at_or_before(right, acked))
        return;
    if (seq_after(relative, end->delivered))
        stream_add_to_island(end, relative, right);
    else if (seq_at_or_before(right, end->delivered))
        stream_fill_hidden(end);
    else
        end->delivered = right;
    stream_join_island(end);

    if (stream_is_hopeless(end)) {
        stream_drop_island(end);
        end->hidden = 0;
        end->given_up = 1;
    }
}

/* The holes that an acknowledgment above `delivered` covers; moves `delivered` there. */
static uint32_t stream_skip_to(struct zeek_end *end, uint32_t relative)
{
    uint32_t holes = 0;

    if (stream_has_island(end) && seq_before(end->island, relative)) {
        holes++;
        end->delivered = end->island;
        stream_join_island(end);
    }
    if (seq_after(relative, end->delivered)) {
        holes++;
        end->delivered = relative;
    }
    stream_join_island(end);
    return holes;
}

uint32_t zeek_stream_acknowledged(struct zeek_end *end, uint32_t relative, bool partial)
{
    uint32_t holes = 0;

    if (end->hidden == 0 && seq_at_or_before(relative, end->delivered))
        return 0;
    /* The FIN's own number is not part of the stream. */
    if (end->fin && seq_after(relative, end->fin_at))
        relative = end->fin_at;
    /* A guess about octet 1, or a keep-alive below it. */
    if (partial && relative <= 2)
        return 0;
    if (seq_after(relative, end->delivered))
        holes = stream_skip_to(end, relative);
    if (end->hidden > 0 && !stream_has_island(end) && seq_at_or_after(relative, end->delivered)) {
        holes += end->hidden;
        end->hidden = 0;
    }
    return end->given_up ? 0 : holes;
}
