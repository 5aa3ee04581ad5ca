/* detectors: the hooks that detectors.def names, one family a file. */
#ifndef LASTACK_DETECT_DETECTORS_H
#define LASTACK_DETECT_DETECTORS_H

#include "detect.h"

/* handshake.c: how connections begin, and fail to (EVENTS C1). */
void detect_syn_refused(struct occasion *occasion);
void detect_handshake_ack(struct occasion *occasion);
void detect_synack_ack_mismatch(struct occasion *occasion);
void detect_half_open_reset(struct occasion *occasion);
void detect_simultaneous_open(struct occasion *occasion);
void detect_handshake_reset(struct occasion *occasion);
void detect_isn_changed(struct occasion *occasion);
nanotime due_syn_no_answer(const struct incarnation *incarnation, const struct config *config);
void detect_syn_no_answer(struct occasion *occasion);

/* close.c: how they end (EVENTS C2). */
void detect_close_simultaneous(struct occasion *occasion);
void detect_close_half(struct occasion *occasion);
void detect_fin_seq_changed(struct occasion *occasion);
void detect_data_beyond_fin(struct occasion *occasion);
void detect_close_reset(struct occasion *occasion);
void detect_fin_repeated_acked(struct occasion *occasion);
void detect_fin_repeated_end(struct occasion *occasion);

/* stuck.c: states that last too long (EVENTS C6). */
nanotime due_close_wait_leak(const struct incarnation *incarnation, const struct config *config);
void detect_close_wait_leak(struct occasion *occasion);
void detect_close_wait_slow(struct occasion *occasion);
void detect_fin_wait_2_timeout(struct occasion *occasion);
void detect_fin_wait_2_stuck(struct occasion *occasion);
nanotime due_fin_stuck(const struct incarnation *incarnation, const struct config *config);
void detect_fin_stuck(struct occasion *occasion);
void detect_fin_stuck_end(struct occasion *occasion);

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
