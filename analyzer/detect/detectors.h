/* detectors: the hooks that detectors.def names, one family a file. */
#ifndef LASTACK_DETECT_DETECTORS_H
#define LASTACK_DETECT_DETECTORS_H

#include "detect.h"

/* time_wait.c: the first reason for TIME_WAIT, and its loss (EVENTS C4). */
void detect_rst_to_retransmitted_fin(struct occasion *occasion);
void detect_tw_assassination(struct occasion *occasion);
void detect_final_ack(struct occasion *occasion);

/* stray_events.c: the second reason (EVENTS C4, C5). */
void detect_stray_old_segment(struct occasion *occasion);
void detect_stray_accepted_hazard(struct occasion *occasion);

/* collision.c: a SYN into an existing incarnation (EVENTS C3). */
void detect_incarnation_collision(struct occasion *occasion);
void detect_collision_outcome(struct occasion *occasion);

#endif
