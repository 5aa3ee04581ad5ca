/* clock_era: see clock_era.h. */
#include "clock_era.h"

#include <math.h>
#include <string.h>

/* Clocks of hosts drift by up to some hundred ppm; what is beyond this is no drift. */
static const double steepest = 1e-3;

/* Zero drift is believed while it leaves so much of the widest gap: less is noise of a short
 * capture. */
static const double enough_of_gap = 0.8;

/* A slope that close to the steepest one is not what the bounds ask for: few of them, far from each
 * other, leave room for any, and the more room the steeper it is. */
static const double almost = 0.99;

/* Time stamps of a capture jitter: bounds that contradict each other by less are no step. */
static const double jitter = 200e3;

/* Bounds of the new era after which the round trip of the old one is not needed any more. */
enum { ENOUGH_BOUNDS = 8 };

static bool is_tighter(enum clock_side side, double a, double b)
{
    return side == CLOCK_ABOVE ? a < b : a > b;
}

/* --- the line --- */

/* The nearest bound of a side to a line of slope b: where that line meets t = 0. */
static double nearest(const struct clock_era *era, enum clock_side side, double b)
{
    const struct clock_bound *bound = era->bound[side];
    double best = bound[0].x - b * bound[0].t;
    for (uint32_t i = 1; i < era->count[side]; i++) {
        double value = bound[i].x - b * bound[i].t;
        best = is_tighter(side, value, best) ? value : best;
    }
    return best;
}

/* How much room a slope leaves between the two sides; concave in b. */
static double gap_of(const struct clock_era *era, double b)
{
    return nearest(era, CLOCK_ABOVE, b) - nearest(era, CLOCK_BELOW, b);
}

static double widest_slope(const struct clock_era *era)
{
    enum { ROUNDS = 48 };
    double low = -steepest, high = steepest;
    for (int i = 0; i < ROUNDS; i++) {
        double third = (high - low) / 3;
        if (gap_of(era, low + third) < gap_of(era, high - third))
            low += third;
        else
            high -= third;
    }
    return (low + high) / 2;
}

/* The slope between `good`, which fits, and `limit` up to which slopes fit. */
static double last_fitting(const struct clock_era *era, double good, double limit)
{
    enum { ROUNDS = 48 };
    if (gap_of(era, limit) >= 0)
        return limit;
    for (int i = 0; i < ROUNDS; i++) {
        double middle = (good + limit) / 2;
        if (gap_of(era, middle) >= 0)
            good = middle;
        else
            limit = middle;
    }
    return limit;
}

static void draw_line(struct clock_era *era)
{
    double b = widest_slope(era);
    double gap = gap_of(era, b);
    bool open = fabs(b) > almost * steepest;
    if (gap_of(era, 0) >= (open ? 0 : enough_of_gap * gap))
        b = 0;
    era->b = b;
    era->a = (nearest(era, CLOCK_ABOVE, b) + nearest(era, CLOCK_BELOW, b)) / 2;
    era->margin = fmax(gap_of(era, b) / 2, 0);
    era->b_least = last_fitting(era, b, -steepest);
    era->b_most = last_fitting(era, b, steepest);
    era->drawn = era->samples;
}

double clock_era_error(const struct clock_era *era, double t)
{
    enum { SLOPES = 16 };
    double line = era->a + era->b * t, worst = era->margin;
    for (int i = 0; i <= SLOPES; i++) {
        double b = era->b_least + (era->b_most - era->b_least) * i / SLOPES;
        worst = fmax(worst, nearest(era, CLOCK_ABOVE, b) + b * t - line);
        worst = fmax(worst, line - nearest(era, CLOCK_BELOW, b) - b * t);
    }
    return worst;
}

/* --- bounds --- */

/* Whether the middle one of three bounds constrains nothing that the outer two do not. */
static bool is_idle(const struct clock_bound *a, const struct clock_bound *m,
                    const struct clock_bound *c, enum clock_side side)
{
    double cross = (m->t - a->t) * (c->x - a->x) - (m->x - a->x) * (c->t - a->t);
    return side == CLOCK_ABOVE ? cross <= 0 : cross >= 0;
}

/* Every second one of the inner bounds goes: what is left says less, and nothing wrong. */
static void thin_out(struct clock_era *era, enum clock_side side)
{
    struct clock_bound *bound = era->bound[side];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < CLOCK_BOUNDS; i++) {
        if (i % 2 == 0 || i == CLOCK_BOUNDS - 1)
            bound[kept++] = bound[i];
    }
    era->count[side] = kept;
}

/* Adds a bound to its convex chain; what came late counts as of the latest moment. */
static void add_bound(struct clock_era *era, enum clock_side side, struct clock_bound new)
{
    struct clock_bound *bound = era->bound[side];
    uint32_t count = era->count[side];
    if (count > 0 && new.t <= bound[count - 1].t) {
        new.t = bound[count - 1].t;
        if (!is_tighter(side, new.x, bound[count - 1].x))
            return;
        count--;
    }
    while (count >= 2 && is_idle(&bound[count - 2], &bound[count - 1], &new, side))
        count--;
    bound[count++] = new;
    era->count[side] = count;
    if (count == CLOCK_BOUNDS)
        thin_out(era, side);
}

bool clock_era_is_known(const struct clock_era *era)
{
    return era->count[CLOCK_ABOVE] > 0 && era->count[CLOCK_BELOW] > 0;
}

bool clock_era_contradicts(const struct clock_era *era, enum clock_side side,
                           struct clock_bound bound)
{
    double above = bound.x - (era->a + era->b * bound.t);
    bool repays = era->borrowed && side == (enum clock_side)era->lacking;
    if (!clock_era_is_known(era) || (side == CLOCK_ABOVE ? above : -above) >= -era->margin - jitter)
        return false;
    struct clock_era tried = *era;
    if (repays) /* what stood in for it says nothing */
        tried.count[side] = 0;
    add_bound(&tried, side, bound);
    return gap_of(&tried, widest_slope(&tried)) < -jitter;
}

/* --- the beginning of another era --- */

/* The bound that stands in for the side that has none yet: a round trip away from the tightest of
 * the other. */
static void borrow(struct clock_era *era)
{
    enum clock_side lacking = (enum clock_side)era->lacking;
    enum clock_side side = lacking == CLOCK_ABOVE ? CLOCK_BELOW : CLOCK_ABOVE;
    double t = era->bound[side][era->count[side] - 1].t;
    double x = nearest(era, side, era->b) + era->b * t;
    era->bound[lacking][0] = (struct clock_bound){
        .t = t,
        .x = x + (lacking == CLOCK_ABOVE ? era->round : -era->round),
    };
    era->count[lacking] = 1;
}

/* A bound of the side that lacks them; true: the tightest of them is good enough. */
static bool repay(struct clock_era *era, struct clock_bound bound)
{
    enum clock_side side = (enum clock_side)era->lacking;
    double stand_in = era->bound[side][0].x;
    if (era->waited++ == 0 || is_tighter(side, bound.x, era->tightest.x))
        era->tightest = bound;
    bool near = fabs(era->tightest.x - stand_in) <= fmax(era->round / 4, jitter);
    bool beyond = is_tighter(side, era->tightest.x, stand_in);
    if (!near && !beyond && era->waited < ENOUGH_BOUNDS)
        return false;
    era->borrowed = false;
    era->bound[side][0] = era->tightest;
    return true;
}

/* Behind the step segments that met a queue may just have fitted: bounds at the end that leave next
 * to nothing of the room between the sides were of the new era. */
static void shed(struct clock_era *era, enum clock_side side)
{
    enum { MOST = 8 };
    double room = era->margin;
    uint32_t count = era->count[side];
    for (uint32_t i = 1; i <= MOST && i < count && era->count[1 - side] > 0; i++) {
        era->count[side] = count - i;
        draw_line(era);
        if (era->margin > 2 * room) {
            era->last[side] = era->bound[side][count - i - 1];
            return;
        }
    }
    era->count[side] = count;
    if (clock_era_is_known(era))
        draw_line(era);
}

void clock_era_begin(struct clock_era *era, struct clock_era *old, enum clock_side side,
                     struct clock_bound bound)
{
    shed(old, side);
    memset(era, 0, sizeof(*era));
    era->from = old->last[side].t;
    era->shown = bound.t;
    if (era->from >
        era->shown) /* the first clock was set back; the second one knows how long it is */
        era->from = bound.t - (bound.t + bound.x - old->last[side].t - old->last[side].x);
    era->b = old->b;
    era->round = 2 * old->margin;
    era->borrowed = true;
    era->lacking = side == CLOCK_ABOVE ? CLOCK_BELOW : CLOCK_ABOVE;
    era->bound[side][0] = bound;
    era->count[side] = 1;
    era->last[side] = bound;
    era->samples = 1;
    borrow(era);
    draw_line(era);
}

void clock_era_take(struct clock_era *era, enum clock_side side, struct clock_bound bound)
{
    double slack = bound.x - (era->a + era->b * bound.t);
    slack = side == CLOCK_ABOVE ? slack : -slack;
    bool was_known = clock_era_is_known(era);
    bool lacking = era->borrowed && side == (enum clock_side)era->lacking;
    bool repaid = lacking && repay(era, bound);
    era->samples++;
    era->last[side] = bound;
    if (lacking && !repaid)
        return;
    if (!lacking)
        add_bound(era, side, bound);
    if (era->borrowed)
        borrow(era);
    if (clock_era_is_known(era) && (!was_known || repaid || slack < era->margin))
        draw_line(era);
}

void clock_era_settle(struct clock_era *era)
{
    enum { SHARE = 32 };
    if (clock_era_is_known(era) && era->samples > era->drawn + era->drawn / SHARE)
        draw_line(era);
}
