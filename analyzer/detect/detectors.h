/* detectors: the hooks that detectors.def names, one family a file. */
#ifndef LASTACK_DETECT_DETECTORS_H
#define LASTACK_DETECT_DETECTORS_H

#include "detect.h"

/* handshake.c: how connections begin, and fail to (EVENTS C1). */
void detect_syn_refused(struct occasion *occasion);
void detect_handshake_ack(struct occasion *occasion);
void detect_synack_ack_mismatch(struct occasion *occasion);
void detect_synack_mismatch_end(struct occasion *occasion);
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

/* close_ack.c: the first ACK of a close was lost (EVENTS C4). */
void detect_close_ack_lost(struct occasion *occasion);

/* resets.c: answers of a host without the connection (EVENTS C4). */
nanotime detect_no_state_reset_due(const struct incarnation *incarnation,
                                   const struct config *config);
void detect_no_state_reset(struct occasion *occasion);
nanotime detect_late_data_due(const struct incarnation *incarnation, const struct config *config);
void detect_data_after_close_reset(struct occasion *occasion);
void detect_keepalive_race(struct occasion *occasion);

/* rst_fate.c: what a reset really was (EVENTS C7). */
void detect_rst_challenged(struct occasion *occasion);
void detect_rst_ignored(struct occasion *occasion);
void detect_idle_drop_rst(struct occasion *occasion);
void detect_rst_injected_suspected(struct occasion *occasion);
void detect_conntrack_invalid_rst(struct occasion *occasion);

/* stray_reset.c: an old reset killed a new connection (EVENTS C4). */
void detect_stray_rst_hazard(struct occasion *occasion);
void detect_stray_rst_hit(struct occasion *occasion);

/* silence.c: no answer, or a window that stays shut (EVENTS C7). */
void detect_keepalive_timeout(struct occasion *occasion);
nanotime detect_idle_drop_due(const struct incarnation *incarnation, const struct config *config);
void detect_idle_drop_silent(struct occasion *occasion);
nanotime detect_rto_abort_due(const struct incarnation *incarnation, const struct config *config);
void detect_rto_abort(struct occasion *occasion);
void detect_zero_window_stall_close(struct occasion *occasion);

/* unreachable.c: an ICMP error, and the end right after (EVENTS C7). */
void detect_icmp_abort(struct occasion *occasion);
void detect_icmp_syn_failure(struct occasion *occasion);

/* asymmetry.c: one direction only (EVENTS C7). */
void detect_path_asymmetry(struct occasion *occasion);

/* stray_events.c: the second reason (EVENTS C4, C5). */
void detect_stray_unmatched(struct occasion *occasion);
void detect_stray_old_segment(struct occasion *occasion);
void detect_stray_accepted_hazard(struct occasion *occasion);

/* collision.c: a SYN into an existing incarnation (EVENTS C3). */
void detect_incarnation_collision(struct occasion *occasion);

/* collision_outcome.c: how that was resolved (EVENTS C3). */
void detect_collision_outcome(struct occasion *occasion);

/* port_reuse.c: who came back (EVENTS C3). */
void detect_tw_reuse_client(struct occasion *occasion);
void detect_nat_port_collision(struct occasion *occasion);

#endif
