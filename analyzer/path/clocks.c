/* clocks: see clocks.h. */
#include "clocks.h"

#include <math.h>
#include <string.h>

static const struct clock_era *latest(const struct clocks *clocks)
{
    return &clocks->era[clocks->eras];
}

static double since_base(const struct clocks *clocks, nanotime t)
{
    return (double)time_since(t, clocks->base_t);
}

/* The era in which the clocks had been set so often; the oldest that is kept. */
static uint32_t era_of(const struct clocks *clocks, uint32_t steps)
{
    uint32_t since = clocks->steps - steps;
    return since > clocks->eras ? 0 : clocks->eras - since;
}

static nanotime offset_in(const struct clocks *clocks, const struct clock_era *era, nanotime t)
{
    double line = era->a + era->b * since_base(clocks, t);
    return time_after(clocks->base_x, (nanotime)line);
}

/* --- samples --- */

bool clocks_known(const struct clocks *clocks)
{
    return clock_era_is_known(latest(clocks));
}

static struct clock_bound bound_of(const struct clocks *clocks, const struct clock_sample *sample)
{
    return (struct clock_bound){since_base(clocks, sample->t),
                                (double)time_since(sample->difference, clocks->base_x)};
}

bool clocks_allow(const struct clocks *clocks, const struct clock_sample *sample)
{
    return !clock_era_contradicts(latest(clocks), sample->side, bound_of(clocks, sample));
}

static void step(struct clocks *clocks, enum clock_side side, struct clock_bound bound)
{
    if (clocks->eras + 1 == CLOCK_ERAS)
        memmove(&clocks->era[0], &clocks->era[1], sizeof(clocks->era) - sizeof(clocks->era[0]));
    else
        clocks->eras++;
    clocks->steps++;
    struct clock_era *era = &clocks->era[clocks->eras];
    clock_era_begin(era, era - 1, side, bound);
}

bool clocks_add(struct clocks *clocks, const struct clock_sample *sample)
{
    if (clocks->samples++ == 0) {
        clocks->base_t = sample->t;
        clocks->base_x = sample->difference;
    }
    struct clock_bound bound = bound_of(clocks, sample);
    struct clock_era *era = &clocks->era[clocks->eras];
    bool fits = !clock_era_contradicts(era, sample->side, bound);
    if (fits)
        clock_era_take(era, sample->side, bound);
    else if (sample->marked)
        step(clocks, sample->side, bound);
    return !fits && sample->marked;
}

/* --- what is known --- */

static nanotime delay_in(const struct clocks *clocks, const struct clock_era *era,
                         const struct clock_sample *sample)
{
    nanotime later = time_since(sample->difference, offset_in(clocks, era, sample->t));
    return sample->side == CLOCK_ABOVE ? later : -later;
}

nanotime clocks_delay(const struct clocks *clocks, const struct clock_sample *sample)
{
    uint32_t i = era_of(clocks, sample->steps);
    nanotime delay = delay_in(clocks, &clocks->era[i], sample);
    while (i < clocks->eras) {
        nanotime other = delay_in(clocks, &clocks->era[++i], sample);
        if (other >= 0 && (other < delay || delay < 0))
            delay = other;
    }
    return delay;
}

nanotime clocks_doubt(const struct clocks *clocks, const struct clock_sample *sample)
{
    double worst = 0;
    for (uint32_t i = era_of(clocks, sample->steps); i <= clocks->eras; i++) {
        const struct clock_era *era = &clocks->era[i];
        if (clock_era_is_known(era))
            worst = fmax(worst, clock_era_error(era, since_base(clocks, sample->t)) - era->margin);
    }
    return (nanotime)worst;
}

bool clocks_stepped_near(const struct clocks *clocks, nanotime t, nanotime reach)
{
    double at = since_base(clocks, t);
    for (uint32_t i = 1; i <= clocks->eras; i++) {
        const struct clock_era *era = &clocks->era[i];
        double before = fmax(era[-1].last[CLOCK_ABOVE].t, era[-1].last[CLOCK_BELOW].t);
        bool near_begin = at >= era->from - (double)reach && at <= era->shown + (double)reach;
        bool near_end = fabs(at - before) <= (double)reach;
        if (near_begin || near_end)
            return true;
    }
    return clocks->steps > clocks->eras && at <= clocks->era[0].shown + (double)reach;
}

static double first_in(const struct clocks *clocks, const struct clock_era *era, nanotime t)
{
    double x = (double)time_since(time_since(t, clocks->base_t), clocks->base_x);
    return (x - era->a) / (1 + era->b);
}

/* Whether it lies where nothing that had come had shown the step yet. */
static bool is_between(const struct clock_era *next, double t)
{
    return t >= next->from && t <= next->shown;
}

nanotime clocks_to_first(const struct clocks *clocks, nanotime t, uint32_t steps)
{
    if (!clocks_known(clocks))
        return t;
    uint32_t i = era_of(clocks, steps);
    double first = first_in(clocks, &clocks->era[i], t);
    if (i < clocks->eras) { /* it may have been behind the step that nothing had shown yet */
        const struct clock_era *next = &clocks->era[i + 1];
        double then = first_in(clocks, next, t);
        if (is_between(next, then))
            first = then;
    }
    return time_after(clocks->base_t, (nanotime)first);
}

void clocks_settle(struct clocks *clocks)
{
    clock_era_settle(&clocks->era[clocks->eras]);
}

nanotime clocks_least_delay(const struct clocks *clocks)
{
    return clocks_known(clocks) ? (nanotime)latest(clocks)->margin : 0;
}

struct clock_estimate clocks_estimate(const struct clocks *clocks, nanotime at, uint32_t steps)
{
    struct clock_estimate estimate = {.at = at, .samples = clocks->samples, .steps = clocks->steps};
    if (!clocks_known(clocks))
        return estimate;
    uint32_t i = era_of(clocks, steps);
    if (i < clocks->eras && is_between(&clocks->era[i + 1], since_base(clocks, at)))
        i++;
    const struct clock_era *era = &clocks->era[i];
    double spread = fmax(era->b_most - era->b, era->b - era->b_least);
    estimate.known = true;
    estimate.offset = offset_in(clocks, era, at);
    estimate.error = (nanotime)ceil(clock_era_error(era, since_base(clocks, at))) + NANO_PER_MICRO;
    estimate.drift_ppb = llround(era->b * 1e9);
    estimate.drift_error_ppb = (int64_t)ceil(spread * 1e9) + 1;
    return estimate;
}
