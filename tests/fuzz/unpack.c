/*
 * Fuzzes the decoders.  The first octet chooses the compression and the size of the pieces in which
 * it is given and taken; the rest is the compressed file.  What comes out, and how it ends, does
 * not depend on the pieces.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "../../analyzer/source/decoder.h"
#include "claim.h"
#include "script.h"

#include <string.h>

enum { MOST_UNPACKED = 1 << 20, MOST_TURNS = 1 << 22 };

static const uint8_t heads[][6] = {{0x1f, 0x8b},
                                   {0x28, 0xb5, 0x2f, 0xfd},
                                   {0x04, 0x22, 0x4d, 0x18},
                                   {0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00},
                                   {0x50, 0x2a, 0x4d, 0x18}};

struct unpacked {
    uint64_t octets;
    uint64_t sum; /* of the first MOST_UNPACKED octets */
    enum decoder_result result;
};

static void add(struct unpacked *unpacked, const uint8_t *octets, size_t count)
{
    for (size_t i = 0; i < count && unpacked->octets + i < MOST_UNPACKED; i++)
        unpacked->sum = unpacked->sum * 1099511628211u + octets[i] + 1;
    unpacked->octets += count;
}

/* Unpacks in pieces of so many octets, until the end, damage, or MOST_UNPACKED octets. */
static struct unpacked unpack(const struct decoder_type *type, struct script script,
                              size_t piece_in, size_t piece_out)
{
    struct unpacked unpacked = {0, 0, DECODER_INSIDE};
    uint8_t out[4096];
    void *state = type->open();
    CLAIM(state != NULL, "no memory");
    struct decoder_span span = {.in = script.at};
    for (uint32_t turn = 0; unpacked.octets < MOST_UNPACKED; turn++) {
        size_t given = span.in_left > 0 ? span.in_left : piece_in;
        size_t left = (size_t)(script.at + script.left - span.in);
        span.in_left = given < left ? given : left;
        span.in_ended = span.in_left == left;
        span.out = out;
        span.out_left = piece_out;
        size_t before = span.in_left;
        unpacked.result = type->decode(state, &span);
        CLAIM(span.in_left <= before && span.out_left <= piece_out, "beyond its span");
        CLAIM(turn < MOST_TURNS, "no end");
        add(&unpacked, out, piece_out - span.out_left);
        bool moved = span.in_left < before || span.out_left < piece_out;
        if (unpacked.result == DECODER_DAMAGED || (!moved && span.in_ended))
            break;
        if (!moved) /* it needs more at once */
            span.in_left += 1;
    }
    type->free(state);
    return unpacked;
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    static const size_t pieces[] = {1, 7, 100, 4096};
    struct script script = {octets, size};
    uint8_t first = script_u8(&script);
    const uint8_t *head = heads[first % 5];
    const struct decoder *decoder = decoder_recognise(head, sizeof heads[0]);
    CLAIM(decoder != NULL, "%u", first % 5);
    if (decoder->type == NULL) /* built without the library */
        return 0;
    struct unpacked whole = unpack(decoder->type, script, script.left, 4096);
    struct unpacked again =
        unpack(decoder->type, script, pieces[first >> 4 & 3], pieces[first >> 6]);
    if (whole.octets >= MOST_UNPACKED || again.octets >= MOST_UNPACKED)
        return 0;
    /* What is no beginning libzstd refuses at once, or it waits for more of it in vain. */
    CLAIM((whole.result == DECODER_BETWEEN) == (again.result == DECODER_BETWEEN), "%d and %d",
          (int)whole.result, (int)again.result);
    CLAIM(whole.result != DECODER_BETWEEN || whole.octets == again.octets, "%llu and %llu octets",
          (unsigned long long)whole.octets, (unsigned long long)again.octets);
    CLAIM(whole.octets != again.octets || whole.sum == again.sum, "other octets");
    return 0;
}
