/* status: how a function that can fail says so.  0 is success; outputs are untouched otherwise. */
#ifndef LASTACK_BASE_STATUS_H
#define LASTACK_BASE_STATUS_H

enum status {
    STATUS_OK = 0,
    STATUS_NO_MEMORY,
    STATUS_NOT_FOUND,  /* a file or interface does not exist */
    STATUS_DENIED,     /* no right to read or write it */
    STATUS_UNREADABLE, /* not a capture, a directory, an unknown format */
    STATUS_DAMAGED,    /* a capture that is cut short or broken in the middle */
    STATUS_WRITE,      /* an output could not be written */
    STATUS_CLOSED,     /* the reader of an output went away (EPIPE) */
    STATUS_USAGE,      /* the caller asked for what cannot be had */
};

enum { MESSAGE_SIZE = 512 }; /* octets of a caller's message buffer, NUL included */

#endif
