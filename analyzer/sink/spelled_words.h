/* spelled_words: every word of the vocabularies as JSON has it, in quotes or null, made once. */
#ifndef LASTACK_SINK_SPELLED_WORDS_H
#define LASTACK_SINK_SPELLED_WORDS_H

#include <stddef.h>
#include <string.h>

#include "../base/status.h"
#include "json_writer.h"
#include "vocabulary.h"

struct spelled_word {
    char text[JSON_WORD];
    size_t length;
};

struct spelled_words {
    struct spelled_word *all;              /* owned */
    struct spelled_word *of[VOCABULARIES]; /* where the words of each vocabulary begin */
};

/* NO_MEMORY: *words is clear. */
enum status spelled_words_init(struct spelled_words *words);

/*
 * Writes the word of that number, from 0, into JSON_WORD octets at out and returns its end.  A copy
 * of fixed size costs less than one of its own length.
 */
static inline char *spelled_words_put(const struct spelled_words *words, enum vocabulary_id id,
                                      int number, char *out)
{
    const struct spelled_word *word = &words->of[id][number];
    memcpy(out, word->text, JSON_WORD);
    return out + word->length;
}

void spelled_words_clear(struct spelled_words *words);

#endif
