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
    nanotime lag;        /* live: of the analysis behind the capture */
    nanotime stats_done; /* when statistics were written last */
    uint64_t ended;      /* interfaces, a bit each, whose end was said */
};

/* Begins, with statistics due one interval from now. */
void upkeep_begin(struct upkeep *upkeep);

/* Whether it is time; cheap enough to be asked at every packet. */
bool upkeep_is_due(const struct upkeep *upkeep);

/*
 * Does it, with the capture clock at `reached` (NANOTIME_UNKNOWN: nothing came yet).  busy: a
 * packet of that time was just read, others may wait.
 */
enum status upkeep_do(struct upkeep *upkeep, nanotime reached, bool busy);

/* Files and streams: writes the pages that are wanted; cheap enough to be asked now and then. */
enum status upkeep_pages(struct upkeep *upkeep);

/* Writes them as things stand at the end, before everything is ended. */
enum status upkeep_last_pages(struct upkeep *upkeep);

#endif
