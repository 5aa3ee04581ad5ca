/* vocabulary: the closed lists of words that records use, for writing them and for the schema. */
#ifndef LASTACK_SINK_VOCABULARY_H
#define LASTACK_SINK_VOCABULARY_H

enum vocabulary_id {
    WORDS_NONE,
    WORDS_STATE,
    WORDS_BASIS,
    WORDS_FACT,
    WORDS_RST_FORM,
    WORDS_RST_FIT,
    WORDS_DIRECTION,
    WORDS_VANTAGE,
    WORDS_CLOSE_KIND,
    WORDS_INITIATOR,
    WORDS_SIDE,
    WORDS_LEVEL,
    WORDS_CONFIDENCE,
    WORDS_BLAME,
    WORDS_ROLE,
    WORDS_VERDICT,
    WORDS_EVENT,
    WORDS_NOTE,
    WORDS_SCOPE,
    WORDS_FATE,
    WORDS_JOIN,
    WORDS_EVENT_OR_NULL, /* -1: null */
    VOCABULARIES
};

struct vocabulary {
    const char *name; /* in the schema's $defs */
    const char *description;
    const char *(*word)(int value); /* NULL for a value that JSON shows as null */
    int first, last;                /* values there are, inclusive */
};

/* Static storage; WORDS_NONE has no words. */
const struct vocabulary *vocabulary_row(enum vocabulary_id id);

#endif
