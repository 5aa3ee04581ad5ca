/* catalogue: the rows of events.def and notes.def as tables, and the words of their columns. */
#include "catalogue.h"

#include <string.h>

static const struct event_row events[EVENT_IDS] = {
#define EVENT(id, family, level, reference, title, condition, meaning, remedy)                     \
    [EVENT_##id] = {#id, family, level, reference, title, condition, meaning, remedy},
#include "../detect/events.def"
#undef EVENT
};

static const struct note_row notes[NOTE_IDS] = {
#define NOTE(id, meaning) [NOTE_##id] = {#id, meaning},
#include "notes.def"
#undef NOTE
};

static const char *const level_names[] = {
    [LEVEL_INFO] = "info",
    [LEVEL_NOTICE] = "notice",
    [LEVEL_WARNING] = "warning",
    [LEVEL_ERROR] = "error",
};

static const char *const confidence_names[] = {
    [CONFIDENCE_POSSIBLE] = "possible",
    [CONFIDENCE_PROBABLE] = "probable",
    [CONFIDENCE_CERTAIN] = "certain",
};

static const char *const blame_names[] = {
    [BLAME_NONE] = "none",       [BLAME_CLIENT] = "client",     [BLAME_SERVER] = "server",
    [BLAME_CLOSER] = "closer",   [BLAME_PEER] = "peer",         [BLAME_MIDDLEBOX] = "middlebox",
    [BLAME_NETWORK] = "network", [BLAME_ATTACKER] = "attacker", [BLAME_CAPTURE] = "capture",
};

static const char *const role_names[] = {
    [ROLE_TRIGGER] = "trigger",     [ROLE_REACTION] = "reaction",       [ROLE_REPAIR] = "repair",
    [ROLE_REFERENCE] = "reference", [ROLE_CONSEQUENCE] = "consequence",
};

const struct event_row *event_row(enum event_id id)
{
    return &events[id];
}

const struct note_row *note_row(enum note_id id)
{
    return &notes[id];
}

enum event_id event_find(const char *name)
{
    for (enum event_id id = 0; id < EVENT_IDS; id++) {
        if (strcmp(events[id].id, name) == 0)
            return id;
    }
    return EVENT_IDS;
}

const char *level_name(enum level level)
{
    return level_names[level];
}

enum level level_find(const char *name)
{
    for (enum level level = LEVEL_INFO; level <= LEVEL_ERROR; level++) {
        if (strcmp(level_names[level], name) == 0)
            return level;
    }
    return 0;
}

const char *confidence_name(enum confidence confidence)
{
    return confidence_names[confidence];
}

const char *blame_name(enum blame blame)
{
    return blame_names[blame];
}

const char *evidence_role_name(enum evidence_role role)
{
    return role_names[role];
}
