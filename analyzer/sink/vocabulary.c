/*
 * vocabulary: the name functions of tcp/ and event/ under one signature.  A function takes its own
 * enum, and calling it through a pointer that takes an int would be undefined, hence one line each.
 */
#include "vocabulary.h"

#include <stddef.h>

#include "../event/host_record.h"
#include "../event/path_record.h"

static const char *state_word(int value)
{
    return tcp_state_name((enum tcp_state)value);
}

static const char *basis_word(int value)
{
    return basis_name((enum basis)value);
}

static const char *fact_word(int value)
{
    return fact_name((enum fact)value);
}

static const char *rst_form_word(int value)
{
    return rst_form_name((enum rst_form)value);
}

static const char *rst_fit_word(int value)
{
    return rst_fit_name((enum rst_fit)value);
}

static const char *direction_word(int value)
{
    return direction_name((enum direction)value);
}

static const char *vantage_word(int value)
{
    return vantage_name((enum vantage)value);
}

static const char *close_kind_word(int value)
{
    return close_kind_name((enum close_kind)value);
}

static const char *initiator_word(int value)
{
    return initiator_name((enum initiator)value);
}

static const char *side_word(int value)
{
    return value == CLIENT ? "client" : "server";
}

static const char *level_word(int value)
{
    return level_name((enum level)value);
}

static const char *confidence_word(int value)
{
    return confidence_name((enum confidence)value);
}

static const char *blame_word(int value)
{
    return blame_name((enum blame)value);
}

static const char *role_word(int value)
{
    return evidence_role_name((enum evidence_role)value);
}

static const char *verdict_word(int value)
{
    return segment_verdict_name((enum segment_verdict)value);
}

static const char *event_word(int value)
{
    return value < 0 ? NULL : event_row((enum event_id)value)->id;
}

static const char *note_word(int value)
{
    return note_row((enum note_id)value)->id;
}

static const char *scope_word(int value)
{
    return host_scope_name((enum host_scope)value);
}

static const char *fate_word(int value)
{
    return path_fate_name((enum path_fate)value);
}

static const char *join_word(int value)
{
    return path_join_name((enum path_join)value);
}

static const struct vocabulary vocabularies[VOCABULARIES] = {
    [WORDS_STATE] =
        {"state",
         "a state of RFC 9293 3.3.2, or UNKNOWN for a side whose beginning was not captured",
         state_word, STATE_CLOSED, STATE_UNKNOWN},
    [WORDS_BASIS] = {"basis",
                     "how a state is known: the side sent the segment that proves it, its "
                     "acknowledgment covers the "
                     "one that moved it, a deadline passed, or only the peer's segment was seen",
                     basis_word, BASIS_PRESUMED, BASIS_TIMER},
    [WORDS_FACT] = {"fact", "what became known about a side, in the words of RFC 9293 figure 5",
                    fact_word, FACT_SND_SYN, FACT_TWO_MSL},
    [WORDS_RST_FORM] =
        {"rst_form",
         "the shape of a reset: an answer to a segment with or without ACK, an abort of a live "
         "connection, or none of these",
         rst_form_word, RST_NONE, RST_FOREIGN},
    [WORDS_RST_FIT] = {"rst_fit", "where a reset falls in its receiver's window (RFC 5961 3)",
                       rst_fit_word, RST_FIT_UNKNOWN, RST_FIT_OUTSIDE},
    [WORDS_DIRECTION] = {"direction", "how it is known which side is the client", direction_word,
                         DIRECTION_SYN, DIRECTION_FIRST_PACKET},
    [WORDS_VANTAGE] = {"vantage", "where on the path the capture was taken", vantage_word,
                       VANTAGE_UNKNOWN, VANTAGE_MIDDLE},
    [WORDS_CLOSE_KIND] = {"close_kind",
                          "how the connection ended, or that it did not before the capture did",
                          close_kind_word, CLOSE_REFUSED, CLOSE_OPEN},
    [WORDS_INITIATOR] = {"initiator", "who closed first", initiator_word, INITIATOR_NONE,
                         INITIATOR_BOTH},
    [WORDS_SIDE] = {"client_or_server", "the client is the source, the server the destination",
                    side_word, CLIENT, SERVER},
    [WORDS_LEVEL] = {"level", "how much an event matters", level_word, LEVEL_INFO, LEVEL_ERROR},
    [WORDS_CONFIDENCE] =
        {"confidence",
         "certain: every link of the deduction is proven; probable: one is presumed and nothing "
         "contradicts it; possible: it rests on an absence or a heuristic",
         confidence_word, CONFIDENCE_POSSIBLE, CONFIDENCE_CERTAIN},
    [WORDS_BLAME] = {"blame", "who most likely caused it", blame_word, BLAME_NONE, BLAME_CAPTURE},
    [WORDS_ROLE] = {"evidence_role", "what a packet is to the deduction", role_word, ROLE_TRIGGER,
                    ROLE_CONSEQUENCE},
    [WORDS_VERDICT] = {"segment_verdict", "what was made of a segment", verdict_word, VERDICT_NEW,
                       VERDICT_ELSEWHERE},
    [WORDS_EVENT] = {"event_id", "an event of the catalogue", event_word, 0, EVENT_IDS - 1},
    [WORDS_NOTE] = {"note_id", "an integrity note: a caveat, never a problem of its own", note_word,
                    0, NOTE_IDS - 1},
    [WORDS_SCOPE] = {"host_scope", "whose census it is", scope_word, HOST_SOURCE, HOST_PAIR},
    [WORDS_FATE] = {"path_fate", "what became of a segment between two taps", fate_word,
                    FATE_ARRIVED, FATE_UNKNOWN},
    [WORDS_JOIN] = {"path_join",
                    "how two taps' views of a connection were found to be one: the same addresses "
                    "and ports; the numbers, timestamps and options of its SYN; what it carries",
                    join_word, JOINED_NOT, JOINED_BY_PAYLOAD},
    [WORDS_EVENT_OR_NULL] = {"event_id_or_null", "an event of the catalogue, or none", event_word,
                             -1, EVENT_IDS - 1},
};

const struct vocabulary *vocabulary_row(enum vocabulary_id id)
{
    return &vocabularies[id];
}
