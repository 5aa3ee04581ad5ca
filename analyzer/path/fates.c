/* fates: see fates.h. */
#include "fates.h"

#include <stdlib.h>

/* Beside a packet's number, which never comes near them. */
static const uint64_t came_late = UINT64_C(1) << 63, not_sure = UINT64_C(1) << 62;
static const uint64_t packet_bits = (UINT64_C(1) << 62) - 1;

static bool note_sighting(struct fates *fates, const struct crossing *crossing, int tap, nanotime t)
{
    if (fates->note == NULL)
        fates->note = calloc(FATES_NOTES, sizeof(*fates->note));
    if (fates->note == NULL)
        return false;
    const struct sighting *seen = &crossing->at[tap];
    uint32_t own = tap == 1 ? crossing->shift[crossing->end] : 0;
    uint32_t other = tap == 1 ? crossing->shift[1 - crossing->end] : 0;
    fates->note[fates->note_next] = (struct fate_note){
        .packet = seen->packet,
        .t = t,
        .sequence = seen->sequence - own,
        .acknowledgment = seen->acknowledgment - other,
        .payload = seen->payload,
        .tap = (uint8_t)tap,
        .end = crossing->end,
        .flags = seen->flags,
        .fate = (uint8_t)crossing->fate,
        .confidence = (uint8_t)crossing->confidence,
        .ambiguous = crossing->ambiguous,
    };
    fates->note_next = (uint8_t)((fates->note_next + 1) % FATES_NOTES);
    fates->note_count += fates->note_count < FATES_NOTES;
    return true;
}

static bool note_arrival(struct fates *fates, const struct crossing *crossing, nanotime t,
                         nanotime slow)
{
    const struct sighting *seen = &crossing->at[0];
    bool silent = seen->payload == 0 || (seen->flags & (TCP_SYN | TCP_FIN | TCP_RST)) != 0;
    bool late = crossing->held != NANOTIME_UNKNOWN && crossing->held > slow;
    late |= crossing->fate == FATE_DUPLICATED && crossing->late > slow;
    uint64_t word = seen->packet | (late ? came_late : 0) |
                    (crossing->confidence == CONFIDENCE_CERTAIN ? 0 : not_sure);
    if (silent) {
        fates->arrived[fates->arrived_next] = word;
        fates->arrived_next = (uint8_t)((fates->arrived_next + 1) % FATES_ARRIVED);
    } else {
        fates->data[fates->data_next] = word;
        fates->data_next = (uint8_t)((fates->data_next + 1) % FATES_DATA);
    }
    if (!late || !silent || crossing->direction != TOWARDS_FIRST || crossing->at[1].packet == 0)
        return true;
    return note_sighting(fates, crossing, 1, time_since(t, crossing->delay));
}

bool fates_note(struct fates *fates, const struct crossing *crossing, nanotime t, nanotime slow)
{
    bool came = crossing->fate == FATE_ARRIVED || crossing->fate == FATE_DUPLICATED;
    bool absent = crossing->fate == FATE_LOST || crossing->fate == FATE_INJECTED;
    if (came && crossing->at[0].packet != 0)
        return note_arrival(fates, crossing, t, slow);
    int tap = crossing->at[0].packet != 0 ? 0 : 1;
    return !absent || crossing->unjoined || note_sighting(fates, crossing, tap, t);
}

static bool find_arrival(const uint64_t *words, int count, uint64_t packet, struct seen *ret_seen)
{
    for (int i = 0; i < count; i++) {
        if ((words[i] & packet_bits) != packet)
            continue;
        ret_seen->sight = (words[i] & came_late) != 0 ? SIGHT_LATE : SIGHT_ARRIVED;
        ret_seen->confidence =
            (words[i] & not_sure) == 0 ? CONFIDENCE_CERTAIN : CONFIDENCE_PROBABLE;
        return true;
    }
    return false;
}

struct seen fates_of(const struct fates *fates, uint64_t packet)
{
    struct seen seen = {SIGHT_NONE, CONFIDENCE_POSSIBLE, false};
    for (int i = 0; i < fates->note_count; i++) {
        const struct fate_note *note = &fates->note[i];
        if (note->tap != 0 || note->packet != packet)
            continue;
        seen.sight = note->fate == FATE_LOST ? SIGHT_LOST : SIGHT_UNSENT;
        seen.confidence = (enum confidence)note->confidence;
        seen.ambiguous = note->ambiguous;
        return seen; /* whatever became of its other pieces */
    }
    if (packet != 0 && !find_arrival(fates->arrived, FATES_ARRIVED, packet, &seen))
        find_arrival(fates->data, FATES_DATA, packet, &seen);
    return seen;
}

static bool is_wanted(const struct fate_note *note, const struct fate_wanted *wanted)
{
    return note->tap == 1 && note->fate != FATE_INJECTED && note->end == wanted->end &&
           (note->flags & wanted->mask) == wanted->flags &&
           (!wanted->acknowledges ||
            seq_at_or_after(note->acknowledgment, wanted->acknowledgment)) &&
           !time_is_before(note->t, wanted->from) && !time_is_before(wanted->until, note->t);
}

const struct fate_note *fates_unseen(const struct fates *fates, const struct fate_wanted *wanted)
{
    const struct fate_note *latest = NULL;
    for (int i = 0; i < fates->note_count; i++) {
        const struct fate_note *note = &fates->note[i];
        if (is_wanted(note, wanted) && (latest == NULL || !time_is_before(note->t, latest->t)))
            latest = note;
    }
    return latest;
}

bool fates_lack_octets(const struct fates *fates, int end)
{
    for (int i = 0; i < fates->note_count; i++) {
        const struct fate_note *note = &fates->note[i];
        if (note->tap == 0 && note->fate == FATE_LOST && note->end == end && note->payload > 0)
            return true;
    }
    return false;
}

void fates_clear(struct fates *fates)
{
    free(fates->note);
    fates->note = NULL;
    fates->note_count = 0;
}
