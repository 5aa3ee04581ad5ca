/*
 * layout: a field table and the tables within it, flattened into the steps of one writer.
 *
 * Of a record's text most is the same every time: brackets, keys, constant values.  A layout holds
 * it ahead of time, joined over the borders of objects, so that a step is one copy of the text that
 * leads to a value, and the value:
 *
 *     ,"flags":{"syn": 1 ,"fin": 1 ,"rst": 0 ,"psh": 2 ,"urg":0},"retransmissions":{"packets":0,...
 *     `---- text ----'   `- text '                    `---- a run of zeroes: text alone ----
 *
 * A run of fields that are nearly always zero (field.seldom) has a step of its own before theirs:
 * where all of them are zero, its text says so, and the others are left out.  So have words that
 * follow each other, such as a state, its fact and its basis: which come together are few, and
 * their text is remembered as a phrase when it was spelled once.
 */
#ifndef LASTACK_SINK_LAYOUT_H
#define LASTACK_SINK_LAYOUT_H

#include "fields.h"

enum { LAYOUT_CHUNK = 32 }; /* texts may be copied in whole pieces of this size */

enum step_kind {
    STEP_TEXT,   /* nothing but the text */
    STEP_ZEROES, /* the next `skip` steps, where all that they write is zero */
    STEP_PHRASE, /* the next `skip` steps, all of them STEP_WORD, where their phrase is known */
    STEP_OPTION, /* an object of the next `skip` steps, or null */
    STEP_COUNT,  /* FIELD_COUNT of 8 octets, always known */
    STEP_PACKET, /* such a one where zero is null: nearly always a packet's number */
    STEP_SMALL,  /* FIELD_COUNT of fewer octets, always known, zero or not */
    STEP_BOOL,   /* FIELD_BOOL, always known */
    STEP_WORD,   /* FIELD_WORD, always known */
    STEP_TIME,   /* FIELD_TIME, always known */
    STEP_SPAN,   /* FIELD_DURATION, always known */
    STEP_SCALAR, /* any other value of a known length */
    STEP_WIDE,   /* any length: what the steps after it need is made room for anew */
    STEP_END     /* the last one, of text alone */
};

enum {
    PHRASE_WORDS = 4,
    PHRASE_BITS = 8,                /* a word's number has */
    PHRASE_TEXT = 3 * LAYOUT_CHUNK, /* of a longer one the words are spelled each time */
    PHRASES = 64                    /* that a step remembers, in the place that their words say */
};

/* Words that came together once, with the text that leads to them. */
struct phrase {
    uint32_t words;  /* their numbers, PHRASE_BITS each */
    uint32_t length; /* 0: none yet */
    char text[PHRASE_TEXT];
};

struct step {
    uint8_t kind;  /* enum step_kind */
    uint8_t words; /* STEP_WORD: enum vocabulary_id, and what its values begin with */
    int16_t first_word;
    uint8_t size; /* STEP_SMALL: octets */
    uint16_t skip;
    uint32_t text, length;     /* in the layout's text; STEP_ZEROES has the values there, too */
    uint32_t record;           /* where the struct of the field's table begins in the record */
    uint32_t offset;           /* of the value in the record */
    uint32_t span, spans;      /* STEP_ZEROES: which parts of the record are to be zero */
    const struct field *field; /* of what has a value */
    const struct layout *part; /* of the elements of a list, or of what a pointer leads to */
    struct phrase *phrase;     /* STEP_PHRASE: owned; its user fills it */
};

struct span {
    uint32_t offset, size;
};

struct layout {
    const struct field_table *table;
    struct step *step; /* owned, as what follows */
    uint32_t steps;
    uint32_t room;  /* that the steps between two wide ones need at most, with some to spare */
    bool is_narrow; /* there is no wide one */
    struct span *span;
    char *text;          /* LAYOUT_CHUNK octets beyond its end are readable */
    struct layout *next; /* of the same writer */
};

/* Which of the keys that some writers leave out are written. */
struct layout_terms {
    bool observed, several, taps;
};

/*
 * Finds the layout of a table in the list that begins at *first, or makes it and those of the
 * tables that it leads to.  NULL: memory ran out.
 */
const struct layout *layout_find(struct layout **first, const struct field_table *table,
                                 struct layout_terms terms);

void layout_free_all(struct layout *first); /* accepts NULL */

#endif
