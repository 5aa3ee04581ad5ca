/*
 * lost_answers: what is told of a SYN into an old incarnation whose answer got lost, or led nowhere
 * (EVENTS C3).  Each function completes an event that the caller has begun.
 */
#ifndef LASTACK_DETECT_LOST_ANSWERS_H
#define LASTACK_DETECT_LOST_ANSWERS_H

#include "detect.h"

/* challenge_loop: challenged again and again. */
void lost_answers_tell_loop(struct event_record *event, const struct occasion *occasion);

/* challenge_ack_dropped: no answer at all. */
void lost_answers_tell_silence(struct event_record *event, const struct occasion *occasion);

/* tw_reopen_dropped: the first SYN was swallowed, the second accepted. */
void lost_answers_tell_first_dropped(struct event_record *event, const struct occasion *occasion);

#endif
