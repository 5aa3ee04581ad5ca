/* nearest: edit distance (Levenshtein), one row of the matrix at a time. */
#include "nearest.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LONGEST_WORD = 63 };

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

size_t nearest_distance(const char *word, const char *known)
{
    size_t row[LONGEST_WORD + 1];
    size_t columns = strlen(known);
    size_t lines = strlen(word);
    if (columns > LONGEST_WORD || lines > LONGEST_WORD)
        return SIZE_MAX;
    for (size_t j = 0; j <= columns; j++)
        row[j] = j;
    for (size_t i = 1; i <= lines; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t above = row[j];
            size_t changed = diagonal + (word[i - 1] != known[j - 1] ? 1 : 0);
            row[j] = smallest(above + 1, row[j - 1] + 1, changed);
            diagonal = above;
        }
    }
    return row[columns];
}

/* A word cut short is meant sooner than a word mistyped; two letters begin too many. */
static size_t distance_or_beginning(const char *word, const char *known)
{
    size_t length = strlen(word);
    size_t distance = nearest_distance(word, known);
    bool begins = length > 2 && strncmp(word, known, length) == 0;
    return begins && distance > 1 ? 1 : distance;
}

const char *nearest_word(const char *word, const char *(*next)(size_t index))
{
    const char *best = NULL;
    size_t best_distance = 1 + strlen(word) / 3; /* further than that is another word */
    for (size_t i = 0; next(i) != NULL; i++) {
        size_t distance = distance_or_beginning(word, next(i));
        if (distance > best_distance || (best != NULL && distance == best_distance))
            continue;
        best = next(i);
        best_distance = distance;
    }
    return best;
}
