/*
 * zeek_letters: see zeek_letters.h.  Zeek writes without limit; beyond 42 a history is cut here.
 */
#include "zeek_letters.h"

#include <string.h>

enum { LETTER_MASK = 31 };

/* In the order of enum zeek_letter. */
static const char spelling[] = "^SsHhAaDdFfRrCcGgTtWwIiQq";

static char letters_get(const struct zeek_view *view, uint32_t index)
{
    uint32_t shift = index % ZEEK_LETTERS_PER_WORD * ZEEK_LETTER_BITS;
    return spelling[view->letters[index / ZEEK_LETTERS_PER_WORD] >> shift & LETTER_MASK];
}

bool zeek_letters_are_letters(const struct zeek_view *view)
{
    for (uint32_t i = 0; i < view->letter_count; i++) {
        uint32_t shift = i % ZEEK_LETTERS_PER_WORD * ZEEK_LETTER_BITS;
        uint32_t letter = view->letters[i / ZEEK_LETTERS_PER_WORD] >> shift & LETTER_MASK;
        if (letter > LETTER_MULTI_FLAG + 1)
            return false;
    }
    return true;
}

static bool is_power_of_ten(uint32_t count)
{
    while (count >= 10 && count % 10 == 0)
        count /= 10;
    return count == 1;
}

void zeek_letters_add_flip(struct zeek_view *view)
{
    zeek_letters_put(view, LETTER_FLIP);
}

void zeek_letters_add(struct zeek_view *view, int from, enum zeek_letter letter)
{
    zeek_letters_put(view, (uint32_t)letter + (from == view->originator ? 0 : 1));
}

void zeek_letters_add_scaled(struct zeek_view *view, int from, enum zeek_letter letter,
                             uint32_t count)
{
    if (is_power_of_ten(count))
        zeek_letters_add(view, from, letter);
}

bool zeek_letters_are_lone_syn_ack(const struct zeek_view *view)
{
    return view->letter_count == 1 && letters_get(view, 0) == 'H';
}

void zeek_letters_flip_syn_ack(struct zeek_view *view)
{
    view->letters[0] = 0;
    view->letter_count = 0;
    zeek_letters_put(view, LETTER_FLIP);
    zeek_letters_put(view, LETTER_SYN_ACK + 1);
}

bool zeek_letters_show_syn_then_rst(const struct zeek_view *view)
{
    uint32_t i = view->letter_count > 0 && letters_get(view, 0) == '^' ? 1 : 0;

    if (i == view->letter_count || letters_get(view, i) != 'S')
        return false;
    for (i++; i < view->letter_count; i++) {
        char letter = letters_get(view, i);
        if (letter == 'R')
            return true;
        if (strchr("HAFGIQ", letter) != NULL)
            return false;
    }
    return false;
}

void zeek_view_history(const struct zeek_view *view, char *out, size_t size)
{
    size_t length = 0;

    if (size == 0)
        return;
    while (length < view->letter_count && length + 1 < size) {
        out[length] = letters_get(view, (uint32_t)length);
        length++;
    }
    out[length] = '\0';
}
