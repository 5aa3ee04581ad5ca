/* place: the spans are in reading order, so the last one that begins before the packet has it. */
#include "place.h"

const struct input_span *place_find(const struct input_spans *inputs, uint64_t packet)
{
    uint32_t low = 0, high = inputs->count;
    if (packet == 0 || (inputs->known > 0 && packet > inputs->known))
        return NULL;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (inputs->spans[middle].before < packet)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? &inputs->spans[low - 1] : NULL;
}

uint64_t place_in_file(const struct input_span *span, uint64_t packet)
{
    return packet - span->before + span->file_before;
}

const char *place_tap(const struct tap_names *taps, const struct evidence_record *evidence)
{
    if (taps == NULL || evidence->packet == 0 || (uint32_t)evidence->tap >= taps->count)
        return NULL;
    return taps->names[evidence->tap];
}

const struct input_span *place_of_evidence(const struct input_spans *inputs,
                                           const struct tap_names *taps,
                                           const struct evidence_record *evidence)
{
    if (place_tap(taps, evidence) != NULL)
        return place_find(taps->spans[evidence->tap], evidence->packet);
    return inputs != NULL ? place_find(inputs, evidence->packet) : NULL;
}
