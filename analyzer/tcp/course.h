/*
 * course: how far a connection has come that took the usual course, and the segments that lead it
 * on, each taken in one go.
 *
 *     BEGUN      SYN ->                       the client's first segment
 *     ANSWERED         <-  SYN-ACK            acknowledges it, and no more
 *     OPEN       ACK ->                       acknowledges that, without payload
 *     PROVEN           <-  word               data, or the ACK of data: the server is ESTABLISHED
 *     PARTING    FIN ->                       of either side
 *     LEFT             <-  ACK                of the other side, alone, or with its FIN
 *     PARTED           <-  FIN
 *     (closed)   ACK ->
 *
 * All in order, nothing lost, late or sent again.  What the segments do is what
 * connection_segment_fully() does; a test compares the two octet by octet.
 *
 * connection.course is what course_find() finds of the rest of the connection after every segment
 * that is not ordinary (ordinary.h); those change nothing of it.
 */
#ifndef LASTACK_TCP_COURSE_H
#define LASTACK_TCP_COURSE_H

#include "connection.h"

enum course {
    COURSE_NONE, /* another one, or at its end */
    COURSE_BEGUN,
    COURSE_ANSWERED,
    COURSE_OPEN,
    COURSE_PROVEN,
    COURSE_PARTING,
    COURSE_LEFT,
    COURSE_PARTED,
};

/* How far the connection has come, by all that is known of it. */
enum course course_find(const struct connection *connection);

/* Takes the client's SYN that course_begins() (course_lead.h), the first segment of a connection
 * that it started. */
void course_begin(struct connection *connection, const struct segment *syn);

#endif
