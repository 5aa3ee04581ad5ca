/* recent: see recent.h. */
#include "recent.h"

#include <stdlib.h>

#include "ends.h"

enum status recent_init(struct recent *recent)
{
    *recent = (struct recent){
        .trails = trails_new(),
        .events = calloc(RECENT_EVENTS, sizeof *recent->events),
        .flows = {{.kept = calloc(RECENT_FLOWS, sizeof(struct flow_record))},
                  {.kept = calloc(RECENT_FLOWS, sizeof(struct flow_record))}},
    };
    bool made = recent->trails != NULL && recent->events != NULL && recent->flows[0].kept != NULL &&
                recent->flows[1].kept != NULL;
    return made ? STATUS_OK : STATUS_NO_MEMORY;
}

void recent_event(struct recent *recent, const struct event_record *event)
{
    recent->events[recent->event_count++ % RECENT_EVENTS] = *event;
    trails_event(recent->trails, event);
}

void recent_flow(struct recent *recent, const struct flow_record *flow, bool has_problems)
{
    struct recent_flows *flows = &recent->flows[has_problems];
    struct flow_record *kept = &flows->kept[flows->count++ % RECENT_FLOWS];
    *kept = *flow;
    kept->spelled = NULL;
    trails_flow(recent->trails, flow);
}

const struct event_record *recent_find_event(const struct recent *recent, uint64_t number)
{
    if (number >= recent->event_count || number + RECENT_EVENTS < recent->event_count)
        return NULL;
    return &recent->events[number % RECENT_EVENTS];
}

const struct flow_record *recent_find_flow(const struct recent_flows *flows, uint64_t number)
{
    if (number >= flows->count || number + RECENT_FLOWS < flows->count)
        return NULL;
    return &flows->kept[number % RECENT_FLOWS];
}

/* The oldest number that is kept, of so many that came. */
static uint64_t first_kept(uint64_t count, uint64_t room)
{
    return count < room ? 0 : count - room;
}

static enum status gather_flows(const struct recent_flows *flows, const struct trail *trail,
                                struct ladder_book *book)
{
    enum status status = STATUS_OK;
    const struct flow_record *flow;
    for (uint64_t n = first_kept(flows->count, RECENT_FLOWS);
         status == STATUS_OK && (flow = recent_find_flow(flows, n)) != NULL; n++) {
        if (ends_match(&flow->who, &trail->who))
            status = ladder_book_flow(book, flow);
    }
    return status;
}

enum status recent_gather(const struct recent *recent, const struct trail *trail,
                          struct ladder_book *book)
{
    enum status status = STATUS_OK;
    struct segment_record segment;
    const struct event_record *event;
    for (uint32_t i = 0; status == STATUS_OK && trail_record(trail, i, &segment); i++)
        status = ladder_book_segment(book, &segment);
    for (int has_problems = 0; has_problems < 2 && status == STATUS_OK; has_problems++)
        status = gather_flows(&recent->flows[has_problems], trail, book);
    for (uint64_t n = first_kept(recent->event_count, RECENT_EVENTS);
         status == STATUS_OK && (event = recent_find_event(recent, n)) != NULL; n++) {
        if (ends_match(&event->who, &trail->who))
            status = ladder_book_event(book, event);
    }
    return status;
}

void recent_clear(struct recent *recent)
{
    trails_free(recent->trails);
    free(recent->events);
    free(recent->flows[0].kept);
    free(recent->flows[1].kept);
    *recent = (struct recent){.trails = NULL};
}
