/* pieces_parts: what pieces are made of, and how their lines are read; for the files of pieces. */
#ifndef LASTACK_SINK_PIECES_PARTS_H
#define LASTACK_SINK_PIECES_PARTS_H

#include <json-c/json.h>

#include "../base/community_id.h"
#include "pieces.h"

/* A tuple with a tape, and the first moment on it: what ended before that is told without it. */
struct taped {
    char community[COMMUNITY_ID_SIZE];
    nanotime since;
};

/* A result that is read. */
struct piece_result {
    const char *name;
    struct json_object *summary; /* its last line; owned */
    uint64_t packets_before, packets;
    struct taped *taped; /* sorted; owned */
    uint32_t tuples, room;
};

struct pieces {
    struct piece_result *piece;
    uint32_t count;
    struct piece_tape *tapes; /* owned, and their octets */
    uint32_t tape_count, tape_room;
    struct run_summary passed; /* counts of what was passed on */
    struct input_summary *inputs;
    uint32_t input_count;
    nanotime first, last;
};

/* A file of lines. */
struct lines {
    const char *name;
    FILE *stream;
    struct json_tokener *tokener;
    char *text;
    size_t size;
    uint64_t number; /* of the line read last */
};

enum status lines_open(struct lines *lines, const char *name, char *message);

/* The next line as JSON, *ret_record owned by the caller; NULL at the end.  UNREADABLE: it is none.
 */
enum status lines_next(struct lines *lines, struct json_object **ret_record, char *message);
void lines_close(struct lines *lines);

/* What is found below an object by keys, the last of which is NULL; NULL: nothing. */
struct json_object *json_below(struct json_object *object, ...) __attribute__((sentinel));
const char *json_text(struct json_object *value); /* NULL: it is no string */
uint64_t json_number(struct json_object *value);  /* 0: it is none */
nanotime json_moment(struct json_object *value);  /* NANOTIME_UNKNOWN: it is none */

/* What kind of record it is, behind "lastack."; "" for anything else. */
const char *record_kind(struct json_object *record);

#endif
