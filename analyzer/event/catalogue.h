/*
 * catalogue: the events and notes that lastack knows, from detect/events.def and event/notes.def.
 */
#ifndef LASTACK_EVENT_CATALOGUE_H
#define LASTACK_EVENT_CATALOGUE_H

#include <stddef.h>

enum level { LEVEL_INFO = 1, LEVEL_NOTICE, LEVEL_WARNING, LEVEL_ERROR };

/* OBSERVER 6, from weak to strong. */
enum confidence { CONFIDENCE_POSSIBLE, CONFIDENCE_PROBABLE, CONFIDENCE_CERTAIN };

enum blame {
    BLAME_NONE,
    BLAME_CLIENT,
    BLAME_SERVER,
    BLAME_CLOSER,
    BLAME_PEER,
    BLAME_MIDDLEBOX,
    BLAME_NETWORK,
    BLAME_ATTACKER,
    BLAME_CAPTURE
};

enum evidence_role { ROLE_TRIGGER, ROLE_REACTION, ROLE_REPAIR, ROLE_REFERENCE, ROLE_CONSEQUENCE };

enum event_id {
#define EVENT(id, family, level, reference, title, condition, meaning, remedy) EVENT_##id,
#include "../detect/events.def"
#undef EVENT
    EVENT_IDS
};

enum note_id {
#define NOTE(id, meaning) NOTE_##id,
#include "notes.def"
#undef NOTE
    NOTE_IDS
};

/* What the catalogue says of an event, whatever the case. */
struct event_row {
    const char *id;        /* stable JSON name */
    const char *family;    /* C1 to C7 */
    enum level level;      /* the usual level */
    const char *reference; /* URL of the rule it rests on */
    const char *title;     /* a headline in plain words */
    const char *condition; /* when it is raised */
    const char *meaning;   /* what it means for the people concerned */
    const char *remedy;    /* what to change, in general */
};

struct note_row {
    const char *id;
    const char *meaning;
};

/* Rows in the order of the enum; static storage. */
const struct event_row *event_row(enum event_id id);
const struct note_row *note_row(enum note_id id);

/* Finds an event by its JSON name; EVENT_IDS when there is none. */
enum event_id event_find(const char *name);

const char *level_name(enum level level);
/* The level of that name, or 0. */
enum level level_find(const char *name);
const char *confidence_name(enum confidence confidence);
const char *blame_name(enum blame blame);
const char *evidence_role_name(enum evidence_role role);

#endif
