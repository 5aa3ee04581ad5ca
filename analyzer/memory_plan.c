/* memory_plan: see memory_plan.h. */
#include "memory_plan.h"

#include "analyzer.h"
#include "messages.h"

enum { MIB = 1 << 20 };

enum { FLOW = 3072, LADDER = 3328, UID = 16 }; /* octets of one that is held, about */

/* What an output takes, about, with as much in it as it may hold: for the report, the records and
 * the page as measured (tests/checks/memory_limit.py), for the others by what they allocate. */
struct output_cost {
    uint64_t fixed;
    bool flows, ladders; /* it holds flow records, ladders */
};

/* clang-format off */
static const struct output_cost costs[] = {
    [OUTPUT_TEXT]           = { 4 * MIB, false, false}, /* groups of problems, dwell times */
    [OUTPUT_JSON]           = { 5 * MIB, true,  false}, /* the same, and the document's text */
    [OUTPUT_NDJSON]         = { 4 * MIB, false, false}, /* what is on its way to the file */
    [OUTPUT_LADDER]         = { 6 * MIB, false, true},
    [OUTPUT_SVG]            = { 6 * MIB, false, true},
    [OUTPUT_HTML]           = {20 * MIB, false, true},  /* 2000 flow records, the page's text twice */
    [OUTPUT_TOP]            = {24 * MIB, false, false}, /* segments of 4096 ends, 64 each */
    [OUTPUT_METRICS]        = { 4 * MIB, false, false},
    [OUTPUT_METRICS_LISTEN] = { 6 * MIB, false, false},
    [OUTPUT_HTTP]           = {48 * MIB, false, false}, /* as the live view, and what browsers read */
    [OUTPUT_KAFKA]          = { 4 * MIB, false, false}, /* the queue is another process's */
    [OUTPUT_PACKETS]        = {16 * MIB, false, false}, /* which packets, and what is said of them */
};
/* clang-format on */

/* As many of that size as a share of the limit holds, within bounds. */
static uint32_t fitting(uint64_t octets, uint32_t size, uint32_t least, uint32_t most)
{
    uint64_t count = octets / size;
    return count < least ? least : count > most ? most : (uint32_t)count;
}

struct memory_plan memory_plan_make(const struct options *options)
{
    enum { FLOWS = 10000, LADDERS = 100000, CONCERNED = 4000000, FEW = 1000 };
    const uint64_t process = 14 * MIB; /* the program, its libraries, what a file is read into */
    const uint64_t texts = 8 * MIB; /* that another thread writes to a large file: sink/outbox.c */
    uint64_t limit = options->config.max_memory;
    struct memory_plan plan = {
        .reserved = process,
        .aside =
            options->interface_count == 0 && options->config.threads != 1 && limit >= 12 * texts,
        .flows = fitting(limit / 8, FLOW, FEW, FLOWS),
        .ladders = fitting(limit / 4, LADDER, FEW, LADDERS),
        .concerned = fitting(limit / 16, UID, FEW, CONCERNED),
    };
    for (size_t i = 0; i < options->output_count; i++) {
        const struct output_cost *cost = &costs[options->outputs[i].kind];
        if (options->outputs[i].kind == OUTPUT_NDJSON && plan.aside)
            plan.reserved += texts;
        plan.reserved += cost->fixed + (cost->flows ? (uint64_t)plan.flows * FLOW : 0) +
                         (cost->ladders ? (uint64_t)plan.ladders * LADDER : 0);
    }
    if (options->output_count == 0) /* the report, or the text summary, which takes less */
        plan.reserved += costs[OUTPUT_JSON].fixed + (uint64_t)plan.flows * FLOW;
    if (options->segments == CHOICE_PROBLEMS)
        plan.reserved += (uint64_t)plan.concerned * UID;
    return plan;
}

static bool holds(const struct options *options, uint64_t limit)
{
    struct options with = *options;
    with.config.max_memory = limit;
    struct analyzer_options wanted = {
        .config = with.config,
        .segments = options->segments > CHOICE_NONE,
        .tap_count = (uint32_t)options->tap_count,
        .reserved = memory_plan_make(&with).reserved,
    };
    bool holds;
    analyzer_room(&wanted, &holds);
    return holds;
}

void memory_plan_check(const struct options *options)
{
    const uint64_t step = 16 * MIB;
    uint64_t given = options->config.max_memory, enough = given;
    while (!holds(options, enough))
        enough += enough / 8;
    if (enough == given)
        return;
    enough = (enough + step - 1) / step * step;
    message_print(
        "--max-memory %llu MiB will not hold: with these outputs and threads lastack takes "
        "more than that by itself; give --max-memory %lluM, or fewer of them",
        (unsigned long long)(given / MIB), (unsigned long long)(enough / MIB));
}
