/* story: see story.h. */
#include "story.h"

#include <stdlib.h>

static bool is_repetition(const struct step *step)
{
    return step->retransmission || step->fin_repeated;
}

static bool is_probe(const struct step *step)
{
    return step->keep_alive || step->window_probe;
}

static bool occupies(const struct step *step)
{
    return step->end != step->segment->sequence;
}

/* Acknowledges more of a side of which nothing was captured. */
static bool acks_unheard(const struct connection *connection, const struct step *step)
{
    const struct side *x = &connection->side[step->from];
    return !side_has(&connection->side[side_other(step->from)], SIDE_HEARD) &&
           side_has(x, SIDE_ACKED) && x->rcv_nxt_packet == step->segment->packet &&
           time_is_before(connection->started, step->segment->time);
}

/* A window of 0, but not that of a reset or a SYN. */
static bool segment_shuts(const struct segment *segment)
{
    return segment->window == 0 && (segment->flags & (TCP_ACK | TCP_RST | TCP_SYN)) == TCP_ACK;
}

/* The first copy of what is repeated, where no story was kept of it: as much as the side knows. */
static struct packet_ref first_copy(const struct connection *connection, const struct step *step)
{
    const struct closing *closing = connection->closing;
    if (step->fin_repeated && closing != NULL && closing->fin[step->from].packet != 0)
        return closing->fin[step->from];
    bool same = step->occupied.packet != 0 && step->occupied.sequence == step->segment->sequence;
    return same ? step->occupied : packet_ref_of(step->segment, step->from);
}

static void begin(struct unanswered *unanswered, const struct connection *connection,
                  const struct step *step)
{
    *unanswered = (struct unanswered){
        .first = is_repetition(step) ? first_copy(connection, step)
                                     : packet_ref_of(step->segment, step->from),
        .idle = step->idle,
    };
}

static void repeat(struct unanswered *unanswered, const struct step *step)
{
    nanotime before = unanswered->last.packet != 0 ? unanswered->last.t : unanswered->first.t;
    unanswered->last = packet_ref_of(step->segment, step->from);
    unanswered->interval = time_since(step->segment->time, before);
    unanswered->copies += is_repetition(step);
    unanswered->probes += is_probe(step);
}

static bool is_again(const struct packet_ref *before, const struct step *step)
{
    const struct segment *segment = step->segment;
    return before->packet != 0 && before->from == step->from && before->flags == segment->flags &&
           before->sequence == segment->sequence &&
           before->acknowledgment == segment->acknowledgment;
}

/* The latest answer that belongs to another connection; of its repetitions, the first. */
static bool note_strange(struct story **story, const struct step *step)
{
    if (*story == NULL)
        *story = calloc(1, sizeof(**story));
    if (*story == NULL)
        return false;
    if (is_again(&(*story)->strange, step))
        return true;
    (*story)->strange = packet_ref_of(step->segment, step->from);
    return true;
}

/* A side's window of 0, from the segment that shut it to the one that opens it. */
static void watch_window(struct story *story, const struct step *step)
{
    const struct segment *segment = step->segment;
    struct packet_ref *shut = &story->shut[step->from];
    if (step->window_probe)
        story->knock[side_other(step->from)] = packet_ref_of(segment, step->from);
    if ((segment->flags & (TCP_ACK | TCP_RST | TCP_SYN)) != TCP_ACK)
        return;
    if (segment->window != 0)
        *shut = (struct packet_ref){0};
    else if (shut->packet == 0)
        *shut = packet_ref_of(segment, step->from);
}

/* Waits for no longer than any connection waits for an answer, and was not repeated. */
static bool is_usual(const struct unanswered *unanswered, nanotime least_idle)
{
    return unanswered->first.packet == 0 ||
           (unanswered->copies + unanswered->probes == 0 && unanswered->idle < least_idle);
}

/* Nothing of it is left that an ordinary connection has not, either. */
static bool is_over(const struct story *story, nanotime least_idle)
{
    uint64_t kept = story->strange.packet | story->lone_ack.packet;
    bool usual = is_usual(&story->answered, least_idle);
    for (int side = 0; side < SIDES; side++) {
        kept |= story->reset_run[side].first.packet | story->shut[side].packet |
                story->knock[side].packet;
        usual = usual && is_usual(&story->unanswered[side], least_idle);
    }
    return kept == 0 && usual;
}

bool story_follow(struct story **story, const struct connection *connection,
                  const struct step *step, nanotime least_idle)
{
    if (step->stray)
        return note_strange(story, step);
    if (step->damaged)
        return true;
    bool again = is_repetition(step) || is_probe(step);
    bool awaited = again || (occupies(step) && step->idle >= least_idle);
    bool shut = segment_shuts(step->segment);
    bool alone = acks_unheard(connection, step);
    if (*story == NULL && !awaited && !shut && !alone)
        return true;
    if (*story == NULL)
        *story = calloc(1, sizeof(**story));
    if (*story == NULL)
        return false;
    struct unanswered *mine = &(*story)->unanswered[step->from];
    struct unanswered *theirs = &(*story)->unanswered[side_other(step->from)];
    (*story)->answered = *theirs;
    bool reset = (step->segment->flags & TCP_RST) != 0;
    if (reset && (*story)->reset_run[step->from].first.packet == 0)
        (*story)->reset_run[step->from] = *theirs;
    if (alone)
        (*story)->lone_ack = packet_ref_of(step->segment, step->from);
    watch_window(*story, step);
    *theirs = (struct unanswered){0};
    if (mine->first.packet == 0 && (again || occupies(step)))
        begin(mine, connection, step);
    if (again)
        repeat(mine, step);
    if (is_over(*story, least_idle)) {
        free(*story);
        *story = NULL;
    }
    return true;
}
