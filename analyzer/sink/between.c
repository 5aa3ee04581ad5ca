/* between: see between.h. */
#include "between.h"

#include <inttypes.h>

#include "line.h"

enum { LABEL = 18 };

static void add_way(struct between_way *way, const struct path_direction *direction)
{
    for (int fate = 0; fate < PATH_FATES; fate++)
        way->fate[fate] += direction->fate[fate];
    for (int tap = 0; tap < 2; tap++)
        way->missed_by[tap] += direction->missed_by[tap];
    way->delayed += direction->delayed;
    way->reordered += direction->reordered;
    way->changed += direction->changed;
    if (direction->delays == 0)
        return;
    bool first = way->delays == 0;
    way->delay_min =
        first ? direction->delay_min : time_earlier_of(way->delay_min, direction->delay_min);
    way->delay_max =
        first ? direction->delay_max : time_later_of(way->delay_max, direction->delay_max);
    way->delay_sum += (double)direction->delay_mean * (double)direction->delays;
    way->delays += direction->delays;
}

void between_add(struct between *between, const struct path_record *path)
{
    if (path->tap[0] < 0 || path->tap[1] < 0 || path->tap[1] >= BETWEEN_TAPS)
        return;
    struct between_pair *pair = &between->pair[path->tap[0]][path->tap[1]];
    pair->connections++;
    pair->joined += path->joined != JOINED_NOT;
    if (path->clock_known)
        pair->last = *path;
    for (int side = CLIENT; side <= SERVER; side++) {
        const struct path_direction *direction = &path->direction[side];
        bool first_near = path->near_client == path->tap[0];
        if (path->near_client >= 0)
            add_way((side == CLIENT) == first_near ? &pair->away : &pair->back, direction);
        else
            for (int fate = 0; fate < PATH_FATES; fate++)
                pair->unknown += direction->fate[fate];
    }
}

static void write_clocks(const struct path_record *path, const char *second, struct prose *prose)
{
    struct line line = {.length = 0};
    nanotime offset = path->offset < 0 ? -path->offset : path->offset;
    int64_t drift = path->drift_ppb < 0 ? -path->drift_ppb : path->drift_ppb;
    line_add(&line, "that of %s is ", second);
    line_add_duration(&line, offset);
    line_add(&line, " %s, to within ", path->offset < 0 ? "behind" : "ahead");
    line_add_duration(&line, path->offset_error);
    line_add(&line, "; it %s %.1f ppm, to within %.1f", path->drift_ppb < 0 ? "loses" : "gains",
             (double)drift / 1000, (double)path->drift_error_ppb / 1000);
    prose_paragraph(prose, STYLE_PLAIN, "  clocks", LABEL, line.text);
}

static void write_way(const struct between_way *way, const char *to, struct prose *prose)
{
    struct line label = {.length = 0}, line = {.length = 0};
    line_add(&label, "  to %.10s", to);
    line_add(&line, "%" PRIu64 " arrived", way->fate[FATE_ARRIVED]);
    line_add_if_any(&line, way->fate[FATE_LOST], "lost");
    line_add_if_any(&line, way->fate[FATE_INJECTED], "injected");
    line_add_if_any(&line, way->delayed, "held");
    line_add_if_any(&line, way->reordered, "out of order");
    line_add_if_any(&line, way->changed, "changed");
    line_add_if_any(&line, way->fate[FATE_DUPLICATED], "seen twice");
    line_add_if_any(&line, way->missed_by[0], "missed by the first capture");
    line_add_if_any(&line, way->missed_by[1], "missed by the second");
    line_add_if_any(&line, way->fate[FATE_UNKNOWN], "not covered by both");
    if (way->delays > 0) {
        line_add(&line, "; ");
        line_add_duration(&line, way->delay_min);
        line_add(&line, " at least, ");
        line_add_duration(&line, (nanotime)(way->delay_sum / (double)way->delays));
        line_add(&line, " in the mean, ");
        line_add_duration(&line, way->delay_max);
        line_add(&line, " at most");
    }
    prose_paragraph(prose, STYLE_PLAIN, label.text, LABEL, line.text);
}

static void write_pair(const struct between_pair *pair, const char *first, const char *second,
                       struct prose *prose)
{
    struct line heading = {.length = 0}, line = {.length = 0};
    prose_blank_line(prose);
    line_add(&heading, "Between taps %s and %s", first, second);
    prose_heading(prose, heading.text);
    line_add(&line, "%" PRIu64 ", %" PRIu64 " seen at both", pair->connections, pair->joined);
    prose_paragraph(prose, STYLE_PLAIN, "  connections", LABEL, line.text);
    if (pair->last.clock_known)
        write_clocks(&pair->last, second, prose);
    write_way(&pair->away, second, prose);
    write_way(&pair->back, first, prose);
    struct line unknown = {.length = 0};
    line_add_if_any(&unknown, pair->unknown, "segments of connections whose way is not known");
    if (unknown.length > 0)
        prose_paragraph(prose, STYLE_PLAIN, "  besides", LABEL, unknown.text);
}

void between_write(const struct between *between, const struct tap_names *taps, struct prose *prose)
{
    for (uint32_t i = 0; taps != NULL && i < taps->count; i++) {
        for (uint32_t k = i + 1; k < taps->count; k++) {
            if (between->pair[i][k].connections > 0)
                write_pair(&between->pair[i][k], taps->names[i], taps->names[k], prose);
        }
    }
}
