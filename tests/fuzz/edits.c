/* edits: see edits.h. */
#include "edits.h"

#include <string.h>

#include "claim.h"

enum { LONGEST_NUMBER = 10 };

static const uint64_t extremes[] = {
    0,          1,          2,         127,        128,        255,
    65535,      65536,      1u << 20,  1u << 30,   1u << 31,   UINT32_MAX,
    1ull << 32, 1ull << 40, INT64_MAX, 1ull << 63, UINT64_MAX,
};

void edits_replace(struct octets *octets, size_t at, size_t gone, const uint8_t *come, size_t count)
{
    size_t behind = octets->count - at - gone;
    uint8_t *made = malloc(at + count + behind + 1);
    CLAIM(made != NULL, "no memory");
    memcpy(made, octets->at, at);
    memcpy(made + at, come, count);
    memcpy(made + at + count, octets->at + at + gone, behind);
    made[at + count + behind] = 0;
    free(octets->at);
    *octets = (struct octets){made, at + count + behind};
}

static void replace_number(struct octets *octets, size_t at, uint64_t value)
{
    uint8_t number[LONGEST_NUMBER];
    size_t count = 0, end = at;
    while (at > 0 && (octets->at[at - 1] & 0x80) != 0)
        at--;
    while (end + 1 < octets->count && (octets->at[end] & 0x80) != 0)
        end++;
    for (; value > 0x7f; value >>= 7)
        number[count++] = (uint8_t)(value | 0x80);
    number[count++] = (uint8_t)value;
    edits_replace(octets, at, end + 1 - at, number, count);
}

static void make_one(struct octets *octets, size_t at, uint8_t what, uint8_t with)
{
    uint8_t come[16];
    size_t left = octets->count - at;
    size_t several = 1u + (with & 15) < left ? 1u + (with & 15) : left;
    memset(come, with, sizeof come);
    switch (what % 7) {
    case 0:
        octets->at[at] = with;
        break;
    case 1:
        octets->at[at] ^= (uint8_t)(1 << (with & 7));
        break;
    case 2:
        edits_replace(octets, at, several, come, 0);
        break;
    case 3:
        edits_replace(octets, at, 0, come, 1u + (with >> 4));
        break;
    case 4:
        memcpy(come, octets->at + at, several);
        edits_replace(octets, at, 0, come, several);
        break;
    case 5:
        if (with == 0)
            edits_replace(octets, at, octets->count - at, come, 0);
        break;
    default:
        replace_number(octets, at, extremes[with % (sizeof extremes / sizeof extremes[0])]);
    }
}

void edits_make(struct script *script, unsigned count, struct octets *octets)
{
    for (; count > 0 && octets->count > 0; count--) {
        size_t at = script_u16(script) % octets->count;
        uint8_t what = script_u8(script);
        make_one(octets, at, what, script_u8(script));
    }
}
