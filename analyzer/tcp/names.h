/*
 * names: the vocabulary of OBSERVER and of RFC 9293 figure 5, and how each word is spelled in JSON.
 */
#ifndef LASTACK_TCP_NAMES_H
#define LASTACK_TCP_NAMES_H

/* The eleven states of RFC 9293 3.3.2, and UNKNOWN for a side whose beginning was not captured. */
enum tcp_state {
    STATE_CLOSED,
    STATE_LISTEN,
    STATE_SYN_SENT,
    STATE_SYN_RCVD,
    STATE_ESTABLISHED,
    STATE_FIN_WAIT_1,
    STATE_FIN_WAIT_2,
    STATE_CLOSE_WAIT,
    STATE_CLOSING,
    STATE_LAST_ACK,
    STATE_TIME_WAIT,
    STATE_UNKNOWN,
    TCP_STATES
};

/* How a state is known (OBSERVER 1).  "presumed" is never silently promoted. */
enum basis {
    BASIS_PRESUMED, /* the peer's segment passed; nothing from the side proves it arrived */
    BASIS_ACKED,    /* the side's acknowledgment or answer covers the segment that moved it */
    BASIS_SENT,     /* the side itself sent the segment that proves it */
    BASIS_TIMER,    /* capture time passed a deadline */
    BASES
};

/* What became known about one side (OBSERVER 2), in figure 5's words. */
enum fact {
    FACT_SND_SYN,
    FACT_SND_SYNACK,
    FACT_GOT_SYN,
    FACT_GOT_SYNACK,
    FACT_SYN_ACKED,
    FACT_SND_FIN,
    FACT_GOT_FIN,
    FACT_FIN_ACKED,
    FACT_SND_RST,
    FACT_GOT_RST,
    FACT_TWO_MSL,
    FACTS
};

/* Which of the shapes of EVENTS C0 a reset has. */
enum rst_form {
    RST_NONE,
    RST_REPLY_NO_ACK, /* R, SEQ = ACK of the answered segment, window 0 */
    RST_REPLY_ACK,    /* RA, SEQ 0, ACK = END of the answered segment, window 0 */
    RST_ACTIVE,       /* RA, SEQ = SND.NXT, ACK = RCV.NXT: a live connection was aborted */
    RST_FOREIGN,      /* none of these, or not like the side's other packets */
    RST_FORMS
};

/* Where a reset falls in its receiver's window (RFC 5961 3, RFC 9293 3.10.7.4). */
enum rst_fit {
    RST_FIT_UNKNOWN,
    RST_FIT_EXACT,     /* at RCV.NXT, or acknowledges the SYN in SYN_SENT */
    RST_FIT_IN_WINDOW, /* a challenge-ACK case */
    RST_FIT_OUTSIDE,   /* dropped by the receiver */
    RST_FITS
};

/* Spellings for JSON; static storage, never NULL for a valid value. */
const char *tcp_state_name(enum tcp_state state);
const char *basis_name(enum basis basis);
const char *fact_name(enum fact fact);
const char *rst_form_name(enum rst_form form);
const char *rst_fit_name(enum rst_fit fit);

#endif
