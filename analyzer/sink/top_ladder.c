/* top_ladder: the ladder of what the live view remembers between two ends. */
#include <inttypes.h>
#include <stdlib.h>

#include "ladder_book.h"
#include "ladder_text.h"
#include "line.h"
#include "output.h"
#include "top_book.h"

static enum status write_left_out(struct output *output, const struct trail *trail)
{
    struct line line = {.length = 0};
    if (trail_left_out(trail) == 0)
        return STATUS_OK;
    line_add(&line, "%" PRIu64 " segments behind the first %d are not kept.", trail_left_out(trail),
             TRAIL_FIRST);
    return output_write_line(output, line.text, line.length);
}

static enum status write_ladder(const struct top_book *book, const struct trail *trail,
                                const struct ladder_look *look, FILE *stream)
{
    struct output output;
    uint32_t count;
    struct ladder_book *drawn =
        ladder_book_new(&(struct ladder_choice){.kind = LADDER_PROBLEMS}, false, 0);
    enum status status = output_init(&output, stream);
    if (drawn == NULL || status != STATUS_OK) {
        if (status == STATUS_OK)
            output_clear(&output);
        ladder_book_free(drawn);
        return STATUS_NO_MEMORY;
    }
    status = recent_gather(&book->recent, trail, drawn);
    const struct ladder *ladder = ladder_book_list(drawn, &count);
    if (status == STATUS_OK)
        status = write_left_out(&output, trail);
    if (status == STATUS_OK && count > 0)
        status = ladder_text_write(&output, ladder, look);
    if (status == STATUS_OK)
        status = output_flush(&output);
    output_clear(&output);
    ladder_book_free(drawn);
    return status;
}

char *top_ladder(const struct top_book *book, int columns, bool utf8)
{
    const struct trail *trail = trails_find(book->recent.trails, &book->who);
    struct ladder_look look = {
        .columns = columns < LADDER_LEAST_COLUMNS  ? LADDER_LEAST_COLUMNS
                   : columns > LADDER_MOST_COLUMNS ? LADDER_MOST_COLUMNS
                                                   : columns,
        .utf8 = utf8,
        .colour = true,
        .nano = book->options.nano,
    };
    char *text = NULL;
    size_t size;
    FILE *stream = trail != NULL ? open_memstream(&text, &size) : NULL;
    if (stream == NULL)
        return NULL;
    enum status status = write_ladder(book, trail, &look, stream);
    if (fclose(stream) == 0 && status == STATUS_OK)
        return text;
    free(text);
    return NULL;
}
