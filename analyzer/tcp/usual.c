/* usual: see usual.h. */
#include "usual.h"

/* An ordinary segment, but that it proves the server's ESTABLISHED. */
static bool is_first_word(const struct connection *connection, const struct segment *segment,
                          int from)
{
    return opening_is_proven(connection, segment, from) &&
           ordinary_may_come_once_proven(connection, from) &&
           ordinary_follows(connection, segment, from);
}

enum usual usual_move_of(const struct connection *connection, const struct segment *segment,
                         int from)
{
    bool parts = connection->closing != NULL || (segment->flags & TCP_FIN) != 0;
    if (parts)
        return parting_fits(connection, segment, from) ? USUAL_PARTING : USUAL_NOT;
    if (opening_fits(connection, segment, from))
        return USUAL_OPENING;
    return is_first_word(connection, segment, from) ? USUAL_WORD : USUAL_NOT;
}

enum usual usual_of(const struct connection *connection, const struct segment *segment, int from)
{
    if (ordinary_may_come(connection, from) && ordinary_follows(connection, segment, from))
        return USUAL_ORDINARY;
    return usual_move_of(connection, segment, from);
}
