/*
 * upkeep: what a live capture does by the clock, beside taking packets: records leave, deadlines
 * pass, statistics are written, outputs are reopened, renamed and tried again.
 */
#ifndef LASTACK_UPKEEP_H
#define LASTACK_UPKEEP_H

#include "analyzer.h"
#include "interrupt.h"
#include "options.h"
#include "outputs.h"
#include "service.h"

struct upkeep {
    const struct options *options; /* none of these is owned */
    struct interrupt *interrupt;
    struct outputs *outputs;
    struct source *source;
    struct analyzer *analyzer;
    struct service *service;
    nanotime done;       /* when it was done last, on the monotonic clock */
    uint64_t dropped;    /* packets, so far */
    nanotime looked;     /* for them, on this host's clock: that of its interfaces */
    nanotime stats_done; /* when statistics were written last */
};

/* Begins, with statistics due one interval from now. */
void upkeep_begin(struct upkeep *upkeep);

/* Whether it is time; cheap enough to be asked at every packet. */
bool upkeep_is_due(const struct upkeep *upkeep);

/* Does it, with the capture clock at `reached` (NANOTIME_UNKNOWN: nothing came yet). */
enum status upkeep_do(struct upkeep *upkeep, nanotime reached);

#endif
