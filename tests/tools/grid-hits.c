/*
 * grid-hits: which cells of the grid (state, fact) captures reach, for tests/checks/grid.py.
 *
 *      grid-hits            every cell:            STATE FACT kind
 *      grid-hits CAPTURE... the cells they reach:  STATE FACT kind CAPTURE, each cell once a
 * capture
 *
 * The kind is arrow, repeat or unexpected.  The engine's probe shows the cells of every segment;
 * that TIME_WAIT ran out is no segment's doing and comes as a transition.
 */
#include <stdio.h>

#include "../../analyzer/engine.h"
#include "../../analyzer/source/source.h"
#include "../../analyzer/tcp/fsm.h"
#include "../../dissect/dissect.h"

static const char *const kinds[] = {
    [FSM_UNEXPECTED] = "unexpected", [FSM_REPEAT] = "repeat", [FSM_ARROW] = "arrow"};

struct hits {
    struct sink sink; /* first: the engine's transitions come here */
    bool hit[TCP_STATES][FACTS];
};

static void print_cell(enum tcp_state state, enum fact fact)
{
    printf("%s %s %s", tcp_state_name(state), fact_name(fact),
           kinds[fsm_lookup(state, fact)->kind]);
}

static void print_grid(void)
{
    for (int state = 0; state < TCP_STATES; state++) {
        for (int fact = 0; fact < FACTS; fact++) {
            print_cell((enum tcp_state)state, (enum fact)fact);
            printf("\n");
        }
    }
}

static void take_step(void *context, const struct step *step)
{
    struct hits *hits = context;
    for (uint32_t i = 0; i < step->cells; i++)
        hits->hit[step->cell[i].state][step->cell[i].fact] = true;
}

static enum status take_transition(struct sink *sink, const struct transition_record *transition)
{
    struct hits *hits = (struct hits *)sink;
    if (transition->entry.fact == FACT_TWO_MSL)
        hits->hit[transition->from][FACT_TWO_MSL] = true;
    return STATUS_OK;
}

static const struct sink_ops operations = {.transition = take_transition};

/* Feeds one capture through an engine of its own. */
static void analyse(struct source *source, struct engine *engine)
{
    struct captured_packet packet;
    uint64_t number = 0;
    while (source_next(source, &packet) == SOURCE_PACKET) {
        struct frame frame = {packet.data, packet.captured, packet.length, packet.link_type, 0};
        struct engine_item item;
        memset(&item, 0, sizeof(item));
        number++;
        engine_advance(engine, packet.time);
        if (dissect(&frame, &item.segment) != DISSECT_SEGMENT)
            continue;
        item.segment.time = packet.time;
        item.segment.packet = number;
        engine_identify(engine->table.secret, 0, &item);
        item.clock = time_later_of(engine->clock, packet.time);
        engine_segment(engine, &item, NULL);
    }
    engine_finish_begin(engine);
    engine_finish_until(engine, UINT64_MAX);
}

static void print_hits(const struct hits *hits, const char *name)
{
    for (int state = 0; state < TCP_STATES; state++) {
        for (int fact = 0; fact < FACTS; fact++) {
            if (!hits->hit[state][fact])
                continue;
            print_cell((enum tcp_state)state, (enum fact)fact);
            printf(" %s\n", name);
        }
    }
}

static bool take_capture(const char *name)
{
    struct source_options options = {.files = &name, .file_count = 1};
    struct hits hits = {.sink = {&operations}};
    struct config config = config_default();
    struct source *source;
    struct engine engine;
    char message[MESSAGE_SIZE];
    if (source_open(&options, &source, message) != STATUS_OK) {
        fprintf(stderr, "grid-hits: %s\n", message);
        return false;
    }
    bool made = engine_init(&engine, &config, &hits.sink) == STATUS_OK;
    if (made) {
        engine.trace_transitions = true;
        engine.probe = take_step;
        engine.probe_context = &hits;
        analyse(source, &engine);
        print_hits(&hits, name);
        engine_clear(&engine);
    }
    source_free(source);
    return made;
}

int main(int count, char **names)
{
    bool good = true;
    if (count == 1)
        print_grid();
    for (int i = 1; i < count; i++)
        good = take_capture(names[i]) && good;
    return good ? 0 : 1;
}
