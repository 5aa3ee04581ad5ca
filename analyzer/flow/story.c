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

/* The first copy of what is repeated, where no story was kept of it: as much as the side knows. */
static struct packet_ref first_copy(const struct connection *connection, const struct step *step)
{
    const struct closing *closing = connection->closing;
    if (step->fin_repeated && closing != NULL && closing->fin[step->from].packet != 0)
        return closing->fin[step->from];
    struct packet_ref first = packet_ref_of(step->segment, step->from);
    if (step->occupied_packet == 0)
        return first;
    first.packet = step->occupied_packet;
    first.t = step->occupied_t;
    return first;
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

/* The latest answer that belongs to another connection. */
static bool note_strange(struct story **story, const struct step *step)
{
    if (*story == NULL)
        *story = calloc(1, sizeof(**story));
    if (*story == NULL)
        return false;
    (*story)->strange = packet_ref_of(step->segment, step->from);
    return true;
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
    if (*story == NULL && !awaited)
        return true;
    if (*story == NULL)
        *story = calloc(1, sizeof(**story));
    if (*story == NULL)
        return false;
    struct unanswered *mine = &(*story)->unanswered[step->from];
    struct unanswered *theirs = &(*story)->unanswered[side_other(step->from)];
    (*story)->answered = *theirs;
    *theirs = (struct unanswered){0};
    if (mine->first.packet == 0 && (again || occupies(step)))
        begin(mine, connection, step);
    if (again)
        repeat(mine, step);
    return true;
}
