/*
 * Fuzzes what keeps an order or packs away: the agenda of deadlines gives them by time and key
 * whatever the order they came in, the moments of losses find each one, and a parked connection
 * comes back octet by octet.
 */
#include "../../analyzer/base/agenda.h"
#include "../../analyzer/flow/park.h"
#include "claim.h"
#include "script.h"

#include <string.h>

static bool comes_before(struct agenda_entry a, struct agenda_entry b)
{
    return a.due < b.due || (a.due == b.due && a.key < b.key);
}

static void take_all(struct agenda *agenda, size_t count)
{
    struct agenda_entry last = {INT64_MIN, 0, 0};
    for (size_t i = 0; i < count; i++) {
        CLAIM(agenda_is_due(agenda, INT64_MAX), "%zu of %zu", i, count);
        struct agenda_entry next = agenda_take(agenda);
        CLAIM(!comes_before(next, last), "entry %zu of %zu", i, count);
        last = next;
    }
    CLAIM(!agenda_is_due(agenda, INT64_MAX), "more than were added");
}

static void try_agenda(struct script script)
{
    struct agenda agenda = {0};
    size_t count = 0;
    while (script.left > 0) {
        uint8_t what = script_u8(&script);
        if (what >= 0xf8 && count > 0) {
            take_all(&agenda, count);
            count = 0;
            continue;
        }
        nanotime due = (nanotime)script_number(&script, what % 9);
        count += agenda_add(&agenda, (struct agenda_rank){due, what}, (uint32_t)count);
    }
    take_all(&agenda, count);
    agenda_clear(&agenda);
}

/* An incarnation and its closing block of any octets, where nothing stands beside them. */
static void try_park(struct script script)
{
    struct incarnation given, back;
    struct closing closing;
    size_t octets = sizeof given;
    uint8_t choice = script_u8(&script);
    bool has_closing = (choice & 1) != 0;
    memset(&given, 0, sizeof given);
    memset(&back, 0xa5, sizeof back);
    memset(&closing, 0, sizeof closing);
    const uint8_t *taken = script_take(&script, &octets);
    memcpy(&given, taken, octets);
    octets = sizeof closing;
    taken = script_take(&script, &octets);
    memcpy(&closing, taken, octets);
    given.connection.history.count %= HISTORY_INLINE + 1;
    for (int side = 0; side < SIDES; side++) /* octets that are read as what they are: 0 or 1 */
        *(uint8_t *)&closing.carrier[side] &= 1;
    given.client_end &= 1;
    given.collision = NULL;
    given.story = NULL;
    given.doubts = NULL;
    given.icmp = NULL;
    given.around = NULL;
    given.beside = 0; /* nothing does that was counted */
    given.connection.closing = has_closing ? &closing : NULL;
    memset(given.connection.recent, 0, sizeof given.connection.recent); /* half is forgotten */
    memset(given.connection.recent_print, 0, sizeof given.connection.recent_print);
    struct parking parking;
    const struct tuple tuple = {.last_uid = given.uid, .numbers = 1};
    parking_init(&parking);
    parking.lanes.vectors &= (choice & 2) == 0;
    struct incarnation apart = given; /* what is parked can be read no more */
    struct closing closing_apart = closing;
    apart.connection.closing = has_closing ? &closing_apart : NULL;
    struct parked *parked = park_incarnation(&parking, &apart, &tuple);
    CLAIM(parked != NULL, "no memory");
    back.index = given.index;
    back.owner = given.owner;
    parking.lanes.vectors &= (choice & 4) == 0; /* what one way wrote the other reads */
    CLAIM(park_restore(&parking, parked, &tuple, &back), "no memory");
    CLAIM((back.connection.closing != NULL) == has_closing, "closing");
    if (has_closing)
        CLAIM(memcmp(back.connection.closing, &closing, sizeof closing) == 0, "closing");
    free(back.connection.closing);
    back.connection.closing = given.connection.closing;
    CLAIM(memcmp(&given, &back, sizeof given) == 0, "another incarnation came back");
    park_free(&parking, parked);
    chunks_clear(&parking.room);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    struct script script = {octets, size};
    if ((script_u8(&script) & 1) != 0)
        try_park(script);
    else
        try_agenda(script);
    return 0;
}
