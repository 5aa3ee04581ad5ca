/* pair_ways: see pair_ways.h. */
#include "pair_ways.h"

#include "joints.h"

enum path_direction_known pair_direction_of_side(const struct pair *pair, bool from_client)
{
    if (pair->first_near_client < 0)
        return TOWARDS_UNKNOWN;
    return from_client == (pair->first_near_client == 1) ? TOWARDS_SECOND : TOWARDS_FIRST;
}

/* By delays of this connection, or else of others. */
static enum path_direction_known direction_by_delays(const struct pair *pair,
                                                     const struct joint *joint, int end)
{
    if (joint->direction[end] != TOWARDS_UNKNOWN || joint->client_end < 0)
        return (enum path_direction_known)joint->direction[end];
    return pair_direction_of_side(pair, end == joint->client_end);
}

/* The tap that a segment passes later shows a lower hop limit, as far as nobody sets it anew. */
static enum path_direction_known direction_by_hops(const struct joint *joint, int end)
{
    enum { HOPS_MOST = 32 };
    int first = joint->view[0][end].ttl, second = joint->view[1][end].ttl, hops = first - second;
    if (first == 0 || second == 0 || hops == 0 || hops > HOPS_MOST || hops < -HOPS_MOST)
        return TOWARDS_UNKNOWN;
    return hops > 0 ? TOWARDS_SECOND : TOWARDS_FIRST;
}

bool pair_direction_is_by_hops(const struct pair *pair, const struct joint *joint, int end)
{
    return direction_by_delays(pair, joint, end) == TOWARDS_UNKNOWN &&
           pair_direction(pair, joint, end) != TOWARDS_UNKNOWN;
}

enum path_direction_known pair_direction(const struct pair *pair, const struct joint *joint,
                                         int end)
{
    enum path_direction_known direction = direction_by_delays(pair, joint, end);
    if (direction != TOWARDS_UNKNOWN)
        return direction;
    direction = direction_by_hops(joint, end);
    bool contradicted =
        direction != TOWARDS_UNKNOWN && direction == direction_by_hops(joint, 1 - end);
    return contradicted ? TOWARDS_UNKNOWN : direction;
}

static struct clock_sample sample_of(const struct difference *difference, enum clock_side side)
{
    return (struct clock_sample){.t = difference->t, .difference = difference->x, .side = side};
}

static void know_direction(struct pair *pair, struct joint *joint, int towards_second)
{
    int back = 1 - towards_second;
    joint->direction[towards_second] = TOWARDS_SECOND;
    joint->direction[back] = TOWARDS_FIRST;
    struct clock_sample above = sample_of(&joint->least[towards_second], CLOCK_ABOVE);
    struct clock_sample below = sample_of(&joint->most[back], CLOCK_BELOW);
    clocks_add(&pair->clocks, &above);
    clocks_add(&pair->clocks, &below);
    if (joint->client_end >= 0 && pair->first_near_client < 0)
        pair->first_near_client = towards_second == joint->client_end ? 1 : 0;
}

/* By what other connections have shown of the clocks. */
static bool is_allowed(const struct pair *pair, const struct joint *joint, int towards_second)
{
    struct clock_sample above = sample_of(&joint->least[towards_second], CLOCK_ABOVE);
    struct clock_sample below = sample_of(&joint->most[1 - towards_second], CLOCK_BELOW);
    return clocks_allow(&pair->clocks, &above) && clocks_allow(&pair->clocks, &below);
}

/* The ends' differences lie on the two sides of the clocks' offset: whichever is the larger is
 * that of segments on their way to the second tap. */
static void find_direction(struct pair *pair, struct joint *joint)
{
    for (int end = 0; end < ENDS; end++) {
        if (joint->least[end].x > joint->most[1 - end].x && is_allowed(pair, joint, end)) {
            know_direction(pair, joint, end);
            return;
        }
    }
}

bool pair_may_be_repetition(struct pair *pair, const struct print *a, const struct print *b)
{
    if (a->ip_id == 0 || b->ip_id == 0)
        return false;
    if (a->ip_id == b->ip_id)
        pair->ids_same++;
    else
        pair->ids_other++;
    bool told_by_stamp = a->stamped && b->stamped && a->tsval == b->tsval;
    return a->ip_id != b->ip_id && !told_by_stamp && pair->ids_same >= pair->ids_other;
}

void pair_take_sample(struct pair *pair, struct joint *joint, int end,
                      const struct twin_sighting *seen)
{
    struct difference difference = {seen->t[0], time_since(seen->t[1], seen->t[0])};
    if (joint->direction[end] != TOWARDS_UNKNOWN) {
        bool away = joint->direction[end] == TOWARDS_SECOND;
        struct clock_sample sample = sample_of(&difference, away ? CLOCK_ABOVE : CLOCK_BELOW);
        sample.marked = seen->marked;
        pair->sampled[sample.side] = seen->packet[away ? 0 : 1];
        if (!clocks_add(&pair->clocks, &sample))
            return;
        pair->rematch = true;
        for (int tap = 0; tap < TAPS; tap++) /* one of them, or both, may have run ahead */
            pair->latest[tap] = seen->t[tap];
        return;
    }
    if (joint->steps != pair->clocks.steps)
        joint->differs[0] = joint->differs[1] = false;
    joint->steps = pair->clocks.steps;
    if (!joint->differs[end] || difference.x < joint->least[end].x)
        joint->least[end] = difference;
    if (!joint->differs[end] || difference.x > joint->most[end].x)
        joint->most[end] = difference;
    joint->differs[end] = true;
    if (joint->differs[0] && joint->differs[1])
        find_direction(pair, joint);
}

bool pair_may_be_step(const struct pair *pair, const struct crossing *crossing)
{
    bool away = crossing->direction == TOWARDS_SECOND;
    if (crossing->direction == TOWARDS_UNKNOWN)
        return false;
    return pair->sampled[away ? CLOCK_BELOW : CLOCK_ABOVE] <= crossing->at[away ? 1 : 0].packet;
}

void pair_measure(const struct pair *pair, struct crossing *crossing)
{
    const struct joint *joint = pair_joint(pair, crossing->joint);
    int end = joint_first_end(joint, crossing->end); /* the flip is its own inverse */
    crossing->direction = pair_direction(pair, joint, end);
    if (crossing->fate != FATE_ARRIVED || crossing->direction == TOWARDS_UNKNOWN ||
        !clocks_known(&pair->clocks))
        return;
    struct difference difference = {crossing->at[0].t,
                                    time_since(crossing->at[1].t, crossing->at[0].t)};
    struct clock_sample sample =
        sample_of(&difference, crossing->direction == TOWARDS_SECOND ? CLOCK_ABOVE : CLOCK_BELOW);
    sample.steps = crossing->at[0].steps < crossing->at[1].steps ? crossing->at[0].steps
                                                                 : crossing->at[1].steps;
    crossing->delay = clocks_delay(&pair->clocks, &sample);
    crossing->delay = time_later_of(crossing->delay, 0); /* below it, the clocks' error shows */
    crossing->held =
        time_later_of(time_since(crossing->delay, clocks_least_delay(&pair->clocks)), 0);
    if (crossing->held <= pair->config->tap_delay)
        return;
    nanotime sure = time_since(crossing->held, clocks_doubt(&pair->clocks, &sample));
    if (sure <= pair->config->tap_delay) /* a clock that drifted may be all there is to it */
        crossing->held = time_later_of(sure, 0);
}
