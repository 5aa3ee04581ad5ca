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
