/* rtt: see rtt.h. */
#include "rtt.h"

static const float quantile = 0.95F;

/* Inserts one of the first five samples in order. */
static void rtt_insert(struct rtt *rtt, float sample)
{
    int i = (int)rtt->samples;
    for (; i > 0 && rtt->height[i - 1] > sample; i--)
        rtt->height[i] = rtt->height[i - 1];
    rtt->height[i] = sample;
    if (rtt->samples < RTT_MARKERS - 1)
        rtt->position[rtt->samples] = rtt->samples + 1;
}

/* The piecewise-parabolic prediction of marker i moved by d (+1 or -1). */
static float rtt_parabola(const struct rtt *rtt, int i, float d)
{
    const float *q = rtt->height;
    float n0 = (float)rtt->position[i - 1], n1 = (float)rtt->position[i],
          n2 = (float)rtt_position(rtt, i + 1);
    return q[i] + d / (n2 - n0) *
                      ((n1 - n0 + d) * (q[i + 1] - q[i]) / (n2 - n1) +
                       (n2 - n1 - d) * (q[i] - q[i - 1]) / (n1 - n0));
}

/* How far marker i stands before where it should after all samples so far. */
static inline float rtt_off(const struct rtt *rtt, int i)
{
    static const float increment[RTT_MARKERS] = {0, quantile / 2, quantile, (1 + quantile) / 2, 1};
    return 1 + increment[i] * (float)(rtt->samples - 1) - (float)rtt->position[i];
}

/* Moves a marker that is off by one place or more, where its neighbours leave room. */
static __attribute__((noinline)) void rtt_adjust(struct rtt *rtt, int i, float off)
{
    int d = 0;
    if (off >= 1 && rtt_position(rtt, i + 1) > rtt->position[i] + 1)
        d = 1;
    else if (off <= -1 && rtt->position[i] > rtt->position[i - 1] + 1)
        d = -1;
    if (d == 0)
        return;
    float moved = rtt_parabola(rtt, i, (float)d);
    if (moved <= rtt->height[i - 1] || moved >= rtt->height[i + 1]) {
        float run = (float)rtt_position(rtt, i + d) - (float)rtt->position[i];
        moved = rtt->height[i] + (float)d * (rtt->height[i + d] - rtt->height[i]) / run;
    }
    rtt->height[i] = moved;
    rtt->position[i] += (uint32_t)d;
}

/* Puts one later sample, which is counted, between its markers, whose heights ascend: those above
 * it move on. */
static inline void rtt_observe(struct rtt *rtt, float sample)
{
    if (sample < rtt->height[0])
        rtt->height[0] = sample;
    if (sample > rtt->height[RTT_MARKERS - 1])
        rtt->height[RTT_MARKERS - 1] = sample;
    for (int i = 1; i < RTT_MARKERS - 1; i++)
        rtt->position[i] += sample < rtt->height[i];
}

void rtt_add(struct rtt *rtt, nanotime sample)
{
    if (rtt->samples == 0 || sample < rtt->least)
        rtt->least = sample;
    if (rtt->samples == 0 || sample > rtt->greatest)
        rtt->greatest = sample;
    rtt->sum = time_after(rtt->sum, sample);
    if (rtt->samples < RTT_MARKERS) {
        rtt_insert(rtt, (float)sample);
        rtt->samples++;
        return;
    }
    if (rtt->samples == UINT32_MAX)
        return;
    rtt->samples++;
    rtt_observe(rtt, (float)sample);
#pragma GCC unroll 3
    for (int i = 1; i < RTT_MARKERS - 1; i++) {
        float off = rtt_off(rtt, i);
        if (off >= 1 || off <= -1)
            rtt_adjust(rtt, i, off);
    }
}

nanotime rtt_p95(const struct rtt *rtt)
{
    if (rtt->samples == 0)
        return NANOTIME_UNKNOWN;
    if (rtt->samples <= RTT_MARKERS)
        return rtt->greatest; /* nearest rank: ceil(0.95 n) = n for n < 20 */
    bool is_beyond = rtt->height[2] >= (float)INT64_MAX; /* rounded up, it is no nanotime */
    nanotime estimate = is_beyond ? INT64_MAX : (nanotime)rtt->height[2];
    return time_earlier_of(time_later_of(estimate, rtt->least), rtt->greatest);
}

nanotime rtt_mean(const struct rtt *rtt)
{
    return rtt->samples == 0 ? NANOTIME_UNKNOWN : rtt->sum / (nanotime)rtt->samples;
}

bool rtt_is_sound(const struct rtt *rtt)
{
    uint32_t kept = rtt->samples < RTT_MARKERS ? rtt->samples : RTT_MARKERS;
    for (uint32_t i = 0; i < kept; i++) {
        bool is_number = rtt->height[i] >= 0 && rtt->height[i] <= (float)INT64_MAX; /* no NaN is */
        bool ascends = i == 0 || (rtt->height[i] >= rtt->height[i - 1] &&
                                  rtt_position(rtt, (int)i) > rtt->position[i - 1]);
        if (!is_number || !ascends || rtt_position(rtt, (int)i) > rtt->samples)
            return false;
    }
    return rtt->samples == 0 || (rtt->least >= 0 && rtt->greatest >= rtt->least && rtt->sum >= 0);
}
