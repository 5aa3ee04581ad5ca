/* spelled_words: see spelled_words.h. */
#include "spelled_words.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static struct spelled_word spell_one(const char *word)
{
    struct spelled_word spelled = {.text = "null", .length = strlen("null")};
    if (!word)
        return spelled;
    spelled.length = strlen(word) + 2;
    assert(spelled.length < sizeof(spelled.text));
    snprintf(spelled.text, sizeof(spelled.text), "\"%s\"", word);
    return spelled;
}

static size_t count_words(void)
{
    size_t count = 0;
    for (enum vocabulary_id id = WORDS_NONE + 1; id < VOCABULARIES; id++)
        count += (size_t)(vocabulary_row(id)->last - vocabulary_row(id)->first + 1);
    return count;
}

enum status spelled_words_init(struct spelled_words *words)
{
    memset(words, 0, sizeof(*words));
    struct spelled_word *next = calloc(count_words(), sizeof(*next));
    if (!next)
        return STATUS_NO_MEMORY;
    words->all = next;
    for (enum vocabulary_id id = WORDS_NONE + 1; id < VOCABULARIES; id++) {
        const struct vocabulary *row = vocabulary_row(id);
        words->of[id] = next;
        for (int value = row->first; value <= row->last; value++)
            *next++ = spell_one(row->word(value));
    }
    return STATUS_OK;
}

void spelled_words_clear(struct spelled_words *words)
{
    free(words->all);
    memset(words, 0, sizeof(*words));
}
