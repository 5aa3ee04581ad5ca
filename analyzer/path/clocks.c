/* clocks: see clocks.h. */
#include "clocks.h"

#include <math.h>
#include <string.h>

/* Clocks of hosts drift by up to some hundred ppm; what is beyond this is no drift. */
static const double steepest = 1e-3;

/* Zero drift is believed while it leaves so much of the widest gap: less is noise of a short
 * capture. */
static const double enough_of_gap = 0.8;

/* Time stamps of a capture jitter: bounds that contradict each other by less are no step. */
static const double jitter = 200e3;

/* The nearest bound of a side to a line of slope b: where that line meets t = 0. */
static double nearest(const struct clocks *clocks, enum clock_side side, double b)
{
    const struct clock_bound *bound = clocks->bound[side];
    double best = bound[0].x - b * bound[0].t;
    for (uint32_t i = 1; i < clocks->count[side]; i++) {
        double value = bound[i].x - b * bound[i].t;
        bool nearer = side == CLOCK_ABOVE ? value < best : value > best;
        best = nearer ? value : best;
    }
    return best;
}

/* How much room a slope leaves between the two sides; concave in b. */
static double gap_of(const struct clocks *clocks, double b)
{
    return nearest(clocks, CLOCK_ABOVE, b) - nearest(clocks, CLOCK_BELOW, b);
}

static double widest_slope(const struct clocks *clocks)
{
    enum { ROUNDS = 48 };
    double low = -steepest, high = steepest;
    for (int i = 0; i < ROUNDS; i++) {
        double third = (high - low) / 3;
        if (gap_of(clocks, low + third) < gap_of(clocks, high - third))
            low += third;
        else
            high -= third;
    }
    return (low + high) / 2;
}

/* The slope between `good`, which fits, and `limit` up to which slopes fit. */
static double last_fitting(const struct clocks *clocks, double good, double limit)
{
    enum { ROUNDS = 48 };
    if (gap_of(clocks, limit) >= 0)
        return limit;
    for (int i = 0; i < ROUNDS; i++) {
        double middle = (good + limit) / 2;
        if (gap_of(clocks, middle) >= 0)
            good = middle;
        else
            limit = middle;
    }
    return limit;
}

/* Both sides contradict each other: a clock was set.  The latest bounds begin anew. */
static void step_over(struct clocks *clocks)
{
    clocks->steps++;
    for (int side = 0; side < CLOCK_SIDES; side++) {
        clocks->bound[side][0] = clocks->bound[side][clocks->count[side] - 1];
        clocks->count[side] = 1;
    }
}

static void draw_line(struct clocks *clocks)
{
    double b = widest_slope(clocks);
    double gap = gap_of(clocks, b);
    if (gap < -jitter) {
        step_over(clocks);
        b = 0;
        gap = gap_of(clocks, b);
    }
    if (gap_of(clocks, 0) >= enough_of_gap * gap)
        b = 0;
    clocks->b = b;
    clocks->a = (nearest(clocks, CLOCK_ABOVE, b) + nearest(clocks, CLOCK_BELOW, b)) / 2;
    clocks->margin = fmax(gap_of(clocks, b) / 2, 0);
    clocks->b_least = last_fitting(clocks, b, -steepest);
    clocks->b_most = last_fitting(clocks, b, steepest);
    clocks->drawn = clocks->samples;
}

/* Whether the middle one of three bounds constrains nothing that the outer two do not. */
static bool is_idle(const struct clock_bound *a, const struct clock_bound *m,
                    const struct clock_bound *c, enum clock_side side)
{
    double cross = (m->t - a->t) * (c->x - a->x) - (m->x - a->x) * (c->t - a->t);
    return side == CLOCK_ABOVE ? cross <= 0 : cross >= 0;
}

/* Every second one of the inner bounds goes: what is left says less, and nothing wrong. */
static void thin_out(struct clocks *clocks, enum clock_side side)
{
    struct clock_bound *bound = clocks->bound[side];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < CLOCK_BOUNDS; i++) {
        if (i % 2 == 0 || i == CLOCK_BOUNDS - 1)
            bound[kept++] = bound[i];
    }
    clocks->count[side] = kept;
}

/* Adds a bound to its convex chain; what came late counts as of the latest moment. */
static void add_bound(struct clocks *clocks, enum clock_side side, struct clock_bound new)
{
    struct clock_bound *bound = clocks->bound[side];
    uint32_t count = clocks->count[side];
    if (count > 0 && new.t <= bound[count - 1].t) {
        new.t = bound[count - 1].t;
        bool tighter =
            side == CLOCK_ABOVE ? new.x < bound[count - 1].x : new.x > bound[count - 1].x;
        if (!tighter)
            return;
        count--;
    }
    while (count >= 2 && is_idle(&bound[count - 2], &bound[count - 1], &new, side))
        count--;
    bound[count++] = new;
    clocks->count[side] = count;
    if (count == CLOCK_BOUNDS)
        thin_out(clocks, side);
}

bool clocks_known(const struct clocks *clocks)
{
    return clocks->count[CLOCK_ABOVE] > 0 && clocks->count[CLOCK_BELOW] > 0;
}

void clocks_add(struct clocks *clocks, nanotime t, nanotime difference, enum clock_side side)
{
    if (clocks->samples++ == 0) {
        clocks->base_t = t;
        clocks->base_x = difference;
    }
    struct clock_bound new = {(double)time_since(t, clocks->base_t),
                              (double)time_since(difference, clocks->base_x)};
    bool was_known = clocks_known(clocks);
    double slack = new.x - (clocks->a + clocks->b * new.t);
    slack = side == CLOCK_ABOVE ? slack : -slack;
    add_bound(clocks, side, new);
    if (clocks_known(clocks) && (!was_known || slack < clocks->margin))
        draw_line(clocks);
}

nanotime clocks_offset(const struct clocks *clocks, nanotime t)
{
    if (!clocks_known(clocks))
        return 0;
    double line = clocks->a + clocks->b * (double)time_since(t, clocks->base_t);
    return time_after(clocks->base_x, (nanotime)line);
}

nanotime clocks_to_first(const struct clocks *clocks, nanotime t)
{
    if (!clocks_known(clocks))
        return t;
    double x = (double)time_since(time_since(t, clocks->base_t), clocks->base_x);
    double first = (x - clocks->a) / (1 + clocks->b);
    return time_after(clocks->base_t, (nanotime)first);
}

void clocks_settle(struct clocks *clocks)
{
    enum { SHARE = 32 };
    if (clocks_known(clocks) && clocks->samples > clocks->drawn + clocks->drawn / SHARE)
        draw_line(clocks);
}

nanotime clocks_least_delay(const struct clocks *clocks)
{
    return clocks_known(clocks) ? (nanotime)clocks->margin : 0;
}

/* How far from the line another one that fits may be at t. */
static double error_at(const struct clocks *clocks, double t)
{
    enum { SLOPES = 16 };
    double line = clocks->a + clocks->b * t, worst = clocks->margin;
    for (int i = 0; i <= SLOPES; i++) {
        double b = clocks->b_least + (clocks->b_most - clocks->b_least) * i / SLOPES;
        worst = fmax(worst, nearest(clocks, CLOCK_ABOVE, b) + b * t - line);
        worst = fmax(worst, line - nearest(clocks, CLOCK_BELOW, b) - b * t);
    }
    return worst;
}

struct clock_estimate clocks_estimate(const struct clocks *clocks, nanotime at)
{
    struct clock_estimate estimate = {.at = at, .samples = clocks->samples, .steps = clocks->steps};
    if (!clocks_known(clocks))
        return estimate;
    double spread = fmax(clocks->b_most - clocks->b, clocks->b - clocks->b_least);
    estimate.known = true;
    estimate.offset = clocks_offset(clocks, at);
    estimate.error =
        (nanotime)ceil(error_at(clocks, (double)time_since(at, clocks->base_t))) + NANO_PER_MICRO;
    estimate.drift_ppb = llround(clocks->b * 1e9);
    estimate.drift_error_ppb = (int64_t)ceil(spread * 1e9) + 1;
    return estimate;
}
