/* record_names: how the words of record.h are spelled in JSON (RECORDS), in the order of their
 * enums. */
#include "host_record.h"
#include "path_record.h"
#include "record.h"

#include <stddef.h>

static const char *const direction_names[] = {
    [DIRECTION_SYN] = "syn",
    [DIRECTION_SYNACK] = "synack",
    [DIRECTION_PORTS] = "ports",
    [DIRECTION_FIRST_PACKET] = "first_packet",
};

static const char *const vantage_names[] = {
    [VANTAGE_UNKNOWN] = NULL,
    [VANTAGE_NEAR_CLIENT] = "near_client",
    [VANTAGE_NEAR_SERVER] = "near_server",
    [VANTAGE_MIDDLE] = "middle",
};

static const char *const close_kind_names[CLOSE_KINDS] = {
    [CLOSE_REFUSED] = "refused",
    [CLOSE_UNANSWERED] = "unanswered",
    [CLOSE_SUPERSEDED] = "superseded",
    [CLOSE_RESET] = "reset",
    [CLOSE_SIMULTANEOUS] = "simultaneous",
    [CLOSE_ORDERLY] = "orderly",
    [CLOSE_TIMED_OUT] = "timed_out",
    [CLOSE_HALF_CLOSED] = "half_closed",
    [CLOSE_OPEN] = "open",
};

static const char *const initiator_names[] = {
    [INITIATOR_NONE] = NULL,
    [INITIATOR_CLIENT] = "client",
    [INITIATOR_SERVER] = "server",
    [INITIATOR_BOTH] = "both",
};

static const char *const verdict_names[SEGMENT_VERDICTS] = {
    [VERDICT_NEW] = "new",
    [VERDICT_RETRANSMISSION] = "retransmission",
    [VERDICT_OUT_OF_ORDER] = "out_of_order",
    [VERDICT_DUPLICATE_ACK] = "duplicate_ack",
    [VERDICT_KEEP_ALIVE] = "keep_alive",
    [VERDICT_WINDOW_PROBE] = "window_probe",
    [VERDICT_COPY] = "copy",
    [VERDICT_BAD_CHECKSUM] = "bad_checksum",
    [VERDICT_STRAY] = "stray",
    [VERDICT_UNEXPECTED] = "unexpected",
    [VERDICT_ELSEWHERE] = "elsewhere",
};

static const char *const scope_names[] = {
    [HOST_SOURCE] = "source",
    [HOST_SERVICE] = "service",
    [HOST_PAIR] = "pair",
};

static const char *const fate_names[PATH_FATES] = {
    [FATE_ARRIVED] = "arrived",       [FATE_LOST] = "lost",
    [FATE_INJECTED] = "injected",     [FATE_MISSED] = "missed",
    [FATE_DUPLICATED] = "duplicated", [FATE_UNKNOWN] = "unknown",
};

static const char *const join_names[PATH_JOINS] = {
    [JOINED_NOT] = NULL,
    [JOINED_BY_TUPLE] = "tuple",
    [JOINED_BY_NUMBERS] = "numbers",
    [JOINED_BY_PAYLOAD] = "payload",
};

static const char *const change_names[PATH_CHANGES] = {
    "acknowledgment", "window", "mss", "window_scale", "options", "payload", "flags", "timestamps",
};

const char *path_change_name(int change)
{
    return change_names[change];
}

const char *path_fate_name(enum path_fate fate)
{
    return fate_names[fate];
}

const char *path_join_name(enum path_join join)
{
    return join_names[join];
}

const char *host_scope_name(enum host_scope scope)
{
    return scope_names[scope];
}

const char *direction_name(enum direction direction)
{
    return direction_names[direction];
}

const char *vantage_name(enum vantage vantage)
{
    return vantage_names[vantage];
}

const char *close_kind_name(enum close_kind kind)
{
    return close_kind_names[kind];
}

const char *initiator_name(enum initiator initiator)
{
    return initiator_names[initiator];
}

const char *segment_verdict_name(enum segment_verdict verdict)
{
    return verdict_names[verdict];
}
