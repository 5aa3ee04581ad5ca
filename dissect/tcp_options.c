/*
 * tcp_options: the options of a TCP header, RFC 9293 3.2.
 *
 *      +--------+                    +--------+--------+----------
 *      |  kind  |  kinds 0 and 1     |  kind  | length | data ...   length counts kind and length
 *      +--------+                    +--------+--------+----------
 *
 * One row per kind.  As Linux does (tcp_parse_options), an option with a length that is wrong for
 * its kind is passed over, one that cannot be stepped over ends the reading, and of two options of
 * a kind the last counts.  Options that belong on a SYN alone are noted wherever they stand.
 */
#include "tcp.h"

enum { KIND_END = 0, KIND_NO_OPERATION = 1, KIND_EXPERIMENT_1 = 253, KIND_EXPERIMENT_2 = 254 };

/* RFC 6994: an experiment says which it is; this one was Fast Open before it had a kind. */
enum { EXPERIMENT_FAST_OPEN = 0xf989 };

struct option_kind {
    uint16_t bit;     /* enum tcp_option_bit; 0: no row */
    uint8_t shortest; /* octets, kind and length included */
    uint8_t longest;
    bool (*read)(struct view option, struct segment *segment); /* false: malformed after all */
};

static bool mss_read(struct view option, struct segment *segment)
{
    segment->mss = view_u16(option, 2);
    return true;
}

static bool window_scale_read(struct view option, struct segment *segment)
{
    segment->window_scale = view_u8(option, 2);
    return true;
}

static bool timestamps_read(struct view option, struct segment *segment)
{
    segment->tsval = view_u32(option, 2);
    segment->tsecr = view_u32(option, 6);
    return true;
}

/* RFC 2018 3: n blocks take 8n + 2 octets. */
static bool sack_read(struct view option, struct segment *segment)
{
    struct view blocks = view_after(option, 2);
    if (blocks.octets % 8 != 0)
        return false;
    segment->sacks = 0;
    while (blocks.octets > 0 && segment->sacks < SEGMENT_SACKS) {
        struct sack_block *block = &segment->sack[segment->sacks++];
        block->left = view_u32(blocks, 0);
        block->right = view_u32(blocks, 4);
        blocks = view_after(blocks, 8);
    }
    return true;
}

/* RFC 7413 4.1.1: a request without a cookie, or a cookie of 4 to 16 octets, an even number. */
static bool fast_open_read(struct view option, struct segment *segment)
{
    (void)segment;
    return option.octets == 2 || (option.octets >= 6 && option.octets % 2 == 0);
}

static bool name_only(struct view option, struct segment *segment)
{
    (void)option;
    (void)segment;
    return true;
}

/* clang-format off */
static const struct option_kind kinds[] = {
    [2]  = {OPTION_MSS,             4,  4, mss_read},           /* RFC 9293 3.7.1 */
    [3]  = {OPTION_WINDOW_SCALE,    3,  3, window_scale_read},  /* RFC 7323 2.2 */
    [4]  = {OPTION_SACK_PERMITTED,  2,  2, name_only},          /* RFC 2018 2 */
    [5]  = {OPTION_SACK,           10, 34, sack_read},          /* RFC 2018 3 */
    [8]  = {OPTION_TIMESTAMPS,     10, 10, timestamps_read},    /* RFC 7323 3.2 */
    [19] = {OPTION_MD5,            18, 18, name_only},          /* RFC 2385 3.0 */
    [29] = {OPTION_AO,              4, 40, name_only},          /* RFC 5925 2.2 */
    [30] = {OPTION_MPTCP,           3, 40, name_only},          /* RFC 8684 3 */
    [34] = {OPTION_FAST_OPEN,       2, 18, fast_open_read},     /* RFC 7413 4.1.1 */
};
/* clang-format on */

static const struct option_kind experiment_fast_open = {OPTION_FAST_OPEN, 4, 20, name_only};
static const struct option_kind unknown = {OPTION_UNKNOWN, 2, 255, name_only};

static const struct option_kind *kind_find(struct view option)
{
    uint8_t kind = view_u8(option, 0);
    if (kind < sizeof kinds / sizeof kinds[0] && kinds[kind].bit != 0)
        return &kinds[kind];
    if ((kind == KIND_EXPERIMENT_1 || kind == KIND_EXPERIMENT_2) &&
        view_u16(option, 2) == EXPERIMENT_FAST_OPEN)
        return &experiment_fast_open;
    return &unknown;
}

/* Notes one whole option, its length already known to fit. */
static void option_note(struct view option, struct segment *segment)
{
    const struct option_kind *kind = kind_find(option);
    bool fits = option.octets >= kind->shortest && option.octets <= kind->longest;
    segment->options |= fits && kind->read(option, segment) ? kind->bit : OPTION_MALFORMED;
}

void tcp_options_read(struct view options, uint32_t octets, struct segment *segment)
{
    while (octets > 0) {
        if (options.octets == 0) {
            segment->options |= OPTION_CUT;
            return;
        }
        uint8_t kind = view_u8(options, 0);
        if (kind == KIND_END)
            return;
        if (kind == KIND_NO_OPERATION) {
            options = view_after(options, 1);
            octets--;
            continue;
        }
        uint8_t length = view_u8(options, 1);
        bool length_captured = view_holds(options, 2) || octets < 2;
        if (length_captured && (length < 2 || length > octets)) {
            segment->options |= OPTION_MALFORMED;
            return;
        }
        if (!length_captured || !view_holds(options, length)) {
            segment->options |= OPTION_CUT;
            return;
        }
        option_note(view_first(options, length), segment);
        options = view_after(options, length);
        octets -= length;
    }
}
