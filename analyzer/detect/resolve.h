/*
 * resolve: what became of a SYN into an old incarnation: the row of EVENTS C3 that its answer, and
 * the state of the old responder after what that answer revoked, decide.
 */
#ifndef LASTACK_DETECT_RESOLVE_H
#define LASTACK_DETECT_RESOLVE_H

#include "detect.h"

/* Which rule let TIME_WAIT accept a SYN (RFC 6191 2; RFC 9293 MAY-2). */
enum reopen_rule { REOPEN_NONE, REOPEN_TS, REOPEN_EQ, REOPEN_NEW_TS, REOPEN_SEQ, REOPEN_UNKNOWN };

/* What keeps segments of the old incarnation out of the new one. */
enum safe_by { SAFE_BY_NONE, SAFE_BY_ISN, SAFE_BY_PAWS, SAFE_BY_UNKNOWN };

/* The outcome's event, or -1: ordinary reuse, a plain refusal, or a SYN that was nobody's. */
int resolve_outcome(const struct collision *collision);

enum confidence resolve_confidence(const struct collision *collision, int outcome);

/* Level of the outcome event, which the collision shares. */
enum level resolve_level(const struct incarnation *incarnation, int outcome);

/* Level of the collision itself: its outcome's, or an error where nothing keeps old segments, of
 * which some may be left for two_msl ns, out of an accepted connection. */
enum level resolve_collision_level(const struct incarnation *incarnation, int outcome,
                                   nanotime two_msl);

enum blame resolve_blame(const struct collision *collision, int outcome);

enum reopen_rule resolve_rule(const struct incarnation *incarnation);
const char *reopen_rule_name(enum reopen_rule rule);

enum safe_by resolve_safe_by(const struct incarnation *incarnation);
const char *safe_by_name(enum safe_by safe_by);

/* Whether the SYN was in the old responder's window (RFC 793 p. 71 asks for it). */
bool resolve_syn_in_window(const struct collision *collision);

/* Whether PAWS is why TIME_WAIT refused (else: the ISN was not newer). */
bool resolve_paws_rejected(const struct incarnation *incarnation);

/* The states of the tuple's two sides before and after the case, in the candidate's roles. */
void resolve_changes(const struct incarnation *incarnation, struct event_record *event);

#endif
