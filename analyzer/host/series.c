/* series: see series.h. */
#include "series.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 4 };

static uint32_t more_of(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Two neighbours become one. */
static void join(struct host_point *to, const struct host_point *next)
{
    to->opened += next->opened;
    to->closed += next->closed;
    for (int side = 0; side < 2; side++) {
        to->time_wait[side] = more_of(to->time_wait[side], next->time_wait[side]);
        to->close_wait[side] = more_of(to->close_wait[side], next->close_wait[side]);
    }
    to->ports = more_of(to->ports, next->ports);
}

static void halve(struct series *series)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < series->count; i += 2) {
        series->point[kept] = series->point[i];
        if (i + 1 < series->count)
            join(&series->point[kept], &series->point[i + 1]);
        kept++;
    }
    series->count = kept;
    series->newest = series->point[kept - 1].t;
    series->step *= 2;
}

static bool make_room(struct series *series)
{
    if (series->count < series->room)
        return true;
    uint32_t room = series->room == 0 ? FIRST_ROOM : 2 * series->room;
    room = room > HOST_POINTS ? HOST_POINTS : room;
    struct host_point *point = realloc(series->point, room * sizeof(*point));
    if (point == NULL)
        return false;
    series->point = point;
    series->room = room;
    return true;
}

/* A point behind the last. */
static bool append(struct series *series, nanotime t, const struct host_point *held)
{
    if (!make_room(series))
        return false;
    struct host_point *point = &series->point[series->count++];
    *point = *held;
    point->t = series->newest = t;
    point->opened = point->closed = 0;
    return true;
}

/* The point of that place.  Of one before the newest, the newest will not hear: whoever asks from
 * now on is sent here. */
static struct host_point *older(struct series *series, uint32_t place)
{
    if (place + 1 < series->count)
        series->newest = INT64_MAX;
    return &series->point[place];
}

/* When the first point begins: worked out from the newest, as that lies far away. */
static nanotime begin_of(const struct series *series)
{
    if (series->newest == INT64_MAX) /* older() */
        return series->point[0].t;
    return time_since(series->newest, (series->count - 1) * series->step);
}

struct host_point *series_at(struct series *series, nanotime t, const struct host_point *held)
{
    if (series->count == 0) {
        series->step = NANO_PER_SECOND;
        return append(series, t - time_within_second(t), held) ? &series->point[0] : NULL;
    }
    const nanotime first = begin_of(series);
    nanotime away = time_since(t, first);
    if (away < 0)
        return older(series, 0);
    while (away / series->step >= HOST_POINTS)
        halve(series);
    uint32_t place = (uint32_t)(away / series->step);
    while (series->count <= place) {
        nanotime begin = time_after(first, series->count * series->step);
        if (!append(series, begin, held))
            return NULL;
    }
    return older(series, place);
}

void series_clear(struct series *series)
{
    free(series->point);
    *series = (struct series){.point = NULL};
}

/* Goes on to a later second. */
static void advance(struct rate *rate, int64_t second)
{
    if (!rate->begun || second - rate->second >= RATE_SECONDS) {
        memset(rate->count, 0, sizeof(rate->count));
        rate->second = second;
        rate->begun = true;
    }
    for (; rate->second < second; rate->second++)
        rate->count[(uint64_t)(rate->second + 1) % RATE_SECONDS] = 0;
}

void rate_add(struct rate *rate, nanotime t)
{
    int64_t second = time_second_of(t);
    if (!rate->begun || second > rate->second)
        advance(rate, second);
    uint32_t *count = &rate->count[(uint64_t)rate->second % RATE_SECONDS];
    rate->most = more_of(rate->most, ++*count);
}

uint32_t rate_sum(const struct rate *rate, nanotime t, int seconds)
{
    uint32_t sum = 0;
    int64_t first = time_second_of(t) - seconds + 1, oldest = rate->second - RATE_SECONDS + 1;
    if (!rate->begun)
        return 0;
    for (int64_t second = first > oldest ? first : oldest; second <= rate->second; second++)
        sum += rate->count[(uint64_t)second % RATE_SECONDS];
    return sum;
}
