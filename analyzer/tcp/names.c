/* names: spellings, in the order of their enums. */
#include "names.h"

static const char *const state_names[TCP_STATES] = {
    [STATE_CLOSED] = "CLOSED",           [STATE_LISTEN] = "LISTEN",
    [STATE_SYN_SENT] = "SYN_SENT",       [STATE_SYN_RCVD] = "SYN_RCVD",
    [STATE_ESTABLISHED] = "ESTABLISHED", [STATE_FIN_WAIT_1] = "FIN_WAIT_1",
    [STATE_FIN_WAIT_2] = "FIN_WAIT_2",   [STATE_CLOSE_WAIT] = "CLOSE_WAIT",
    [STATE_CLOSING] = "CLOSING",         [STATE_LAST_ACK] = "LAST_ACK",
    [STATE_TIME_WAIT] = "TIME_WAIT",     [STATE_UNKNOWN] = "UNKNOWN",
};

static const char *const basis_names[BASES] = {
    [BASIS_PRESUMED] = "presumed",
    [BASIS_ACKED] = "acked",
    [BASIS_SENT] = "sent",
    [BASIS_TIMER] = "timer",
};

static const char *const fact_names[FACTS] = {
    [FACT_SND_SYN] = "SND_SYN",       [FACT_SND_SYNACK] = "SND_SYNACK", [FACT_GOT_SYN] = "GOT_SYN",
    [FACT_GOT_SYNACK] = "GOT_SYNACK", [FACT_SYN_ACKED] = "SYN_ACKED",   [FACT_SND_FIN] = "SND_FIN",
    [FACT_GOT_FIN] = "GOT_FIN",       [FACT_FIN_ACKED] = "FIN_ACKED",   [FACT_SND_RST] = "SND_RST",
    [FACT_GOT_RST] = "GOT_RST",       [FACT_TWO_MSL] = "TWO_MSL",
};

static const char *const rst_form_names[RST_FORMS] = {
    [RST_NONE] = "none",     [RST_REPLY_NO_ACK] = "reply_no_ack", [RST_REPLY_ACK] = "reply_ack",
    [RST_ACTIVE] = "active", [RST_FOREIGN] = "foreign",
};

static const char *const rst_fit_names[RST_FITS] = {
    [RST_FIT_UNKNOWN] = "unknown",
    [RST_FIT_EXACT] = "exact",
    [RST_FIT_IN_WINDOW] = "in_window",
    [RST_FIT_OUTSIDE] = "outside",
};

const char *tcp_state_name(enum tcp_state state)
{
    return state_names[state];
}

const char *basis_name(enum basis basis)
{
    return basis_names[basis];
}

const char *fact_name(enum fact fact)
{
    return fact_names[fact];
}

const char *rst_form_name(enum rst_form form)
{
    return rst_form_names[form];
}

const char *rst_fit_name(enum rst_fit fit)
{
    return rst_fit_names[fit];
}
