/* problems: an array of groups and an open-addressing index into it. */
#include "problems.h"

#include <stdlib.h>
#include <string.h>

#include "../base/carry_rows.h"
#include "problems_state.def"

enum { LIMIT_MAX = 1 << 20, EXAMPLE_MAX = 1 << 20 };

struct problems {
    struct problem *groups; /* limit of them */
    uint32_t count, limit;
    uint32_t *slots; /* group + 1; 0: empty; at least twice the limit, a power of two */
    uint32_t slot_mask;
    uint64_t left_out;
};

static uint32_t slots_for(uint32_t limit)
{
    uint32_t slots = 16;
    while (slots < 2 * limit)
        slots *= 2;
    return slots;
}

struct problems *problems_new(uint32_t limit)
{
    struct problems *problems = calloc(1, sizeof(*problems));
    if (!problems)
        return NULL;
    problems->limit = limit < LIMIT_MAX ? limit : LIMIT_MAX;
    uint32_t slots = slots_for(problems->limit);
    problems->slot_mask = slots - 1;
    problems->groups = calloc(problems->limit > 0 ? problems->limit : 1, sizeof(*problems->groups));
    problems->slots = calloc(slots, sizeof(*problems->slots));
    if (!problems->groups || !problems->slots) {
        problems_free(problems);
        return NULL;
    }
    return problems;
}

static struct problem_key key_of(const struct event_record *event)
{
    struct problem_key key;
    memset(&key, 0, sizeof(key));
    memcpy(key.source, event->who.end[CLIENT].address, sizeof(key.source));
    memcpy(key.destination, event->who.end[SERVER].address, sizeof(key.destination));
    key.id = (uint32_t)event->id;
    key.port = event->who.end[SERVER].port;
    key.ip_version = event->who.ip_version;
    return key;
}

/* FNV-1a. */
static uint32_t hash_of(const struct problem_key *key)
{
    const uint8_t *octets = (const uint8_t *)key;
    uint32_t hash = 2166136261u;
    for (size_t octet = 0; octet < sizeof(*key); octet++)
        hash = (hash ^ octets[octet]) * 16777619u;
    return hash;
}

/* The slot of the key's group, or the empty one where it belongs. */
static uint32_t *find_slot(struct problems *problems, const struct problem_key *key)
{
    uint32_t slot = hash_of(key) & problems->slot_mask;
    for (;; slot = (slot + 1) & problems->slot_mask) {
        uint32_t group = problems->slots[slot];
        if (group == 0 || memcmp(&problems->groups[group - 1].key, key, sizeof(*key)) == 0)
            return &problems->slots[slot];
    }
}

/* Whether the event makes a better example than the one there is: the first of the worst. */
static bool is_better_example(const struct problem *problem, const struct event_record *event)
{
    if (problem->count == 0 || event->level > problem->level)
        return true;
    return event->level == problem->level && event->confidence > problem->confidence;
}

static void count_event(struct problem *problem, const struct event_record *event)
{
    if (is_better_example(problem, event)) {
        problem->level = event->level;
        problem->confidence = event->confidence;
    }
    problem->first = problem->count == 0 ? event->t : time_earlier_of(problem->first, event->t);
    problem->last = problem->count == 0 ? event->t : time_later_of(problem->last, event->t);
    problem->count++;
}

struct problem *problems_add(struct problems *problems, const struct event_record *event)
{
    struct problem_key key = key_of(event);
    uint32_t *slot = find_slot(problems, &key);
    if (*slot == 0 && problems->count == problems->limit) {
        problems->left_out++;
        return NULL;
    }
    if (*slot == 0) {
        *slot = ++problems->count;
        problems->groups[*slot - 1].key = key;
    }
    struct problem *problem = &problems->groups[*slot - 1];
    bool wanted = is_better_example(problem, event);
    count_event(problem, event);
    return wanted ? problem : NULL;
}

enum status problem_set_example(struct problem *problem, const char *text, size_t length)
{
    char *copy = malloc(length + 1);
    if (!copy)
        return STATUS_NO_MEMORY;
    memcpy(copy, text, length);
    copy[length] = '\0';
    free(problem->example);
    problem->example = copy;
    return STATUS_OK;
}

static void carry_problem(struct carry *carry, struct problem *problem,
                          bool (*is_example)(const char *text))
{
    carry_fields(carry, problem_fields, problem);
    char *example = carry_text(carry, problem->example, EXAMPLE_MAX);
    if (!carry_is_reading(carry))
        return;
    problem->example = example;
    if (example != NULL && !is_example(example))
        carry_fail(carry, STATUS_UNREADABLE);
}

/* They come in the order in which they are, which decides nothing. */
void problems_carry(struct carry *carry, struct problems *problems,
                    bool (*is_example)(const char *text))
{
    uint32_t count = carry_count(carry, problems->count, problems->limit);
    carry_number(carry, &problems->left_out, UINT64_MAX);
    for (uint32_t i = 0; i < count && carry_is_sound(carry); i++) {
        struct problem *problem = &problems->groups[i];
        carry_problem(carry, problem, is_example);
        if (!carry_is_reading(carry))
            continue;
        problems->count++;
        uint32_t *slot = find_slot(problems, &problem->key);
        if (*slot != 0)
            carry_fail(carry, STATUS_UNREADABLE);
        *slot = problems->count;
    }
}

/* Worst first; the key decides between equals, so the order is the same in every run. */
static int compare_problems(const void *a, const void *b)
{
    const struct problem *left = a;
    const struct problem *right = b;
    if (left->level != right->level)
        return left->level > right->level ? -1 : 1;
    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    if (left->first != right->first)
        return time_is_before(left->first, right->first) ? -1 : 1;
    return memcmp(&left->key, &right->key, sizeof(left->key));
}

const struct problem *problems_sort(struct problems *problems, uint32_t *ret_count)
{
    qsort(problems->groups, problems->count, sizeof(*problems->groups), compare_problems);
    *ret_count = problems->count;
    return problems->groups;
}

/* Those so far stay sorted; a worse one takes the place of the last. */
uint32_t problems_worst(const struct problems *problems, struct problem *ret_worst, uint32_t room)
{
    uint32_t count = 0;
    for (uint32_t group = 0; group < problems->count; group++) {
        const struct problem *problem = &problems->groups[group];
        uint32_t place = count;
        while (place > 0 && compare_problems(problem, &ret_worst[place - 1]) < 0)
            place--;
        if (place == room)
            continue;
        count += count < room;
        memmove(&ret_worst[place + 1], &ret_worst[place], (count - 1 - place) * sizeof *ret_worst);
        ret_worst[place] = *problem;
    }
    return count;
}

uint32_t problems_count(const struct problems *problems)
{
    return problems->count;
}

uint64_t problems_left_out(const struct problems *problems)
{
    return problems->left_out;
}

void problems_free(struct problems *problems)
{
    if (!problems)
        return;
    for (uint32_t group = 0; problems->groups && group < problems->count; group++)
        free(problems->groups[group].example);
    free(problems->groups);
    free(problems->slots);
    free(problems);
}
