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
 * Three kinds of steps stand before others, and often take their place:
 *
 * - zeroes, before fields that are nearly always zero (field.seldom): where the part of the record
 *   that they lie in is all zero, its text says so;
 * - a phrase, before fields that lie close together and differ little from record to record, such
 *   as a state, its fact and its basis: which octets come together are few, and what they were
 *   spelled like is remembered;
 * - a loop, before the fields of a list's elements: once for each.
 */
#ifndef LASTACK_SINK_LAYOUT_H
#define LASTACK_SINK_LAYOUT_H

#include "fields.h"

enum {
    LAYOUT_CHUNK = 32, /* what leads to a value is no longer, and copied as a whole */
    LAYOUT_PIECE = 64, /* other texts are copied in whole pieces of this size */
    LAYOUT_SHORT = 160 /* a string of so many octets is spelled in the room that there is */
};

enum step_kind {
    STEP_TEXT,     /* nothing but the text */
    STEP_ZEROES,   /* the next `skip` steps, where `size` octets at `offset` are zero */
    STEP_ZEROES_2, /* the same where those are two words, or two that overlap */
    STEP_PHRASE,   /* the next `skip` steps, where their phrase is known */
    STEP_LEARN,    /* the end of those: from now on it is */
    STEP_OPTION,   /* an object of the next `skip` steps, or null */
    STEP_OPTION_1, /* the same: null where the octet at `offset` is zero */
    STEP_OPTION_8, /* the same: where eight are */
    STEP_LOOP,     /* the next `skip` steps for each element of an array */
    STEP_NEXT,     /* the end of those */
    STEP_COUNT_1,  /* FIELD_COUNT of as many octets, always known, zero or not */
    STEP_COUNT_2,
    STEP_COUNT_4,
    STEP_COUNT_8,
    STEP_PACKET,    /* that of 8 octets where zero is null: nearly always a packet's number */
    STEP_BOOL,      /* FIELD_BOOL, always known */
    STEP_WORD,      /* FIELD_WORD, always known */
    STEP_TIME,      /* FIELD_TIME, always known */
    STEP_SPAN,      /* FIELD_DURATION, always known */
    STEP_UID,       /* FIELD_UID, always known, zero or not */
    STEP_UID_0,     /* that where zero is null */
    STEP_KNOWN_4,   /* FIELD_COUNT of 4 octets, known where another octet is not zero */
    STEP_SPELLED,   /* FIELD_SPELLED */
    STEP_BITS,      /* FIELD_BITS */
    STEP_SCALAR,    /* any other value of a known length */
    STEP_SHORT,     /* FIELD_TEXT of LAYOUT_SHORT octets at most, always known */
    STEP_STRING,    /* that of more: room is made for it, and for what follows */
    STEP_STRING_AT, /* FIELD_STRING, always known: likewise, where it is long */
    STEP_LIST,      /* an array of words or numbers: likewise, unless it is empty */
    STEP_WIDE,      /* any other of any length: likewise */
    STEP_END        /* the last one, of text alone */
};

enum {
    PHRASE_OCTETS = 16, /* of the record that a phrase stands for */
    PHRASE_TEXT = 104,  /* a longer one is spelled each time */
    PHRASE_BITS = 6,    /* where a phrase may be the hash of its octets says */
    PHRASES_THERE = 2,  /* at each such place; of three that meet there one is spelled each time */
    PHRASES = PHRASES_THERE << PHRASE_BITS
};

/* What octets were spelled like once, with the text that leads to them: two cache lines, of which a
 * short text needs one. */
struct phrase {
    uint64_t first, last; /* the octets; where they are fewer than 16 the two overlap */
    uint64_t length;      /* 0: none yet */
    char text[PHRASE_TEXT];
};

struct taking;

struct step {
    char *(*take)(struct taking *taking, const struct step *step, const uint8_t *record, char *out);
    const char *text; /* in the layout's: what leads to the value */
    uint16_t length;
    uint8_t kind;    /* enum step_kind */
    uint8_t words;   /* STEP_WORD, STEP_BITS: enum vocabulary_id */
    uint32_t offset; /* of the value in the record; of the octets of a phrase */
    uint16_t size;   /* there; of an element of an array; STEP_BITS: words there are */
    uint16_t skip;
    int32_t first_word;        /* STEP_WORD: what the values of its words begin with */
    const struct field *field; /* of what has a value */
    uint32_t record;           /* where the struct of the field's table begins in the record */
    uint32_t begin;            /* of the text in the layout's */
    const struct layout *part; /* of the elements of a list, or of what a pointer leads to */
    struct phrase *phrase;     /* STEP_PHRASE: owned, STEP_LEARN: the same; its user fills it */
};

struct layout {
    const struct field_table *table;
    struct step *step; /* owned, as what follows */
    uint32_t steps;
    uint32_t room; /* that the steps need at most, but for values that make room for themselves */
    char *text;    /* LAYOUT_PIECE octets beyond its end are readable */
    struct layout *next; /* of the same writer */
};

/* How steps are taken, and which of the keys that some writers leave out are written. */
struct layout_terms {
    char *(*const *takes)(struct taking *, const struct step *, const uint8_t *,
                          char *); /* by kind */
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
