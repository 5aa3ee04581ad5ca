/*
 * view: a bounded look at packet memory; the only code here that indexes it.
 *
 * A view is a plain value: a start and a number of octets.  Every access carries its own bounds
 * check and is total: what lies past the end reads as zero, a cut past the end is empty.  Who must
 * tell "zero" from "not captured" asks view_holds() first; the compiler then drops the check that
 * the access repeats, so safety costs nothing on the way of a good packet.
 *
 *      start                       start + octets
 *        |<-- offset -->| u8 u16 u32 ...  |
 *        |<-- view_first -->|<-- view_after -->|
 *
 * Numbers are read in network order unless the name says otherwise.
 */
#ifndef LASTACK_DISSECT_VIEW_H
#define LASTACK_DISSECT_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct view {
    const uint8_t *start; /* owned by whoever captured it */
    size_t octets;        /* as wide as the pointer: half as wide costs a stall at each hand-over */
};

/* Whether at least this many octets are there. */
static inline bool view_holds(struct view view, size_t octets)
{
    return view.octets >= octets;
}

/* Whether length octets lie inside, from offset on; no sum that could wrap. */
static inline bool view_covers(struct view view, size_t offset, size_t length)
{
    return view.octets >= length && view.octets - length >= offset;
}

/* The first octets of a view, or all of it where it is shorter. */
static inline struct view view_first(struct view view, size_t octets)
{
    if (octets < view.octets)
        view.octets = octets;
    return view;
}

/* What follows the first octets; empty where nothing does. */
static inline struct view view_after(struct view view, size_t octets)
{
    if (octets > view.octets)
        octets = view.octets;
    view.start += octets;
    view.octets -= octets;
    return view;
}

static inline uint8_t view_u8(struct view view, size_t offset)
{
    return view_covers(view, offset, 1) ? view.start[offset] : 0;
}

static inline uint16_t view_u16(struct view view, size_t offset)
{
    if (!view_covers(view, offset, 2))
        return 0;
    const uint8_t *at = view.start + offset;
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t view_u32(struct view view, size_t offset)
{
    if (!view_covers(view, offset, 4))
        return 0;
    const uint8_t *at = view.start + offset;
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Copies length octets out; zeros where the view does not hold all of them. */
static inline void view_copy(struct view view, size_t offset, void *ret_octets, size_t length)
{
    if (view_covers(view, offset, length))
        memcpy(ret_octets, view.start + offset, length);
    else
        memset(ret_octets, 0, length);
}

/* Eight octets as this machine keeps them in memory, for sums that do not mind the byte order. */
static inline uint64_t view_memory64(struct view view, size_t offset)
{
    uint64_t word;
    view_copy(view, offset, &word, sizeof word);
    return word;
}

/* Of less than eight octets the word in memory, with zeros behind them. */
static inline uint64_t view_memory_few(struct view view)
{
    uint64_t word = 0;
    for (size_t i = view.octets; i > 0; i--)
        word = word << 8 | view_u8(view, i - 1);
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(word) : word;
}

/*
 * What is left of a view after whole words of eight, as a word in memory with zeros behind it; 0
 * where nothing is.  Where there is one whole word, the last octets are read together with those
 * before them, which then leave.
 */
static inline uint64_t view_memory_last(struct view view)
{
    const unsigned left = view.octets % 8;
    if (left == 0)
        return 0;
    if (!view_holds(view, 8))
        return view_memory_few(view);
    uint64_t word = view_memory64(view, view.octets - 8);
    const unsigned others = 64 - 8 * left;
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? word << others : word >> others;
}

#endif
