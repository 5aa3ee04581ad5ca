/* pieces_parts: what pieces are made of, and how their lines are read; for the files of pieces. */
#ifndef LASTACK_SINK_PIECES_PARTS_H
#define LASTACK_SINK_PIECES_PARTS_H

#include <json-c/json.h>

#include "../base/community_id.h"
#include "pieces.h"

/* A tuple with a tape, and where that begins: what ended before is told without it. */
struct taped {
    char community[COMMUNITY_ID_SIZE];
    uint64_t first_packet; /* of the piece */
    nanotime since;        /* the earliest stamp on it */
};

/* A result that is read. */
struct piece_result {
    const char *name;
    struct json_object *summary; /* its last line; owned */
    uint64_t packets_before, packets;
    nanotime clock_before; /* the latest packet of the pieces before */
    struct taped *taped;   /* sorted; owned */
    uint32_t tuples, room;
    uint64_t *replayed; /* flow_uids of connections that are analysed again; sorted; owned */
    uint32_t replayed_count, replayed_room;
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

/* Where pieces_next_told() has come to. */
struct telling {
    uint32_t piece;
    bool is_open;
    struct lines lines;
    uint8_t *octets; /* of a deltas record; owned */
    size_t at, count;
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
    struct telling telling;
};

void telling_clear(struct telling *telling);

/* Room for one more in a list of `count` elements of that size; false: memory ran out. */
bool pieces_make_room(void **list, uint32_t count, uint32_t *room, size_t size);

/* Base64 as octets, owned by the caller, none when it is no such; NULL: memory ran out. */
uint8_t *pieces_decode(const char *text, size_t *ret_count);

int compare_uids(const void *a, const void *b); /* uint64_t */

enum status lines_open(struct lines *lines, const char *name, char *message);

/* The next line as JSON, *ret_record owned by the caller; NULL at the end.  UNREADABLE: it is none.
 */
enum status lines_next(struct lines *lines, struct json_object **ret_record, char *message);

/* The next line that is a record of that dataset; the others are not looked at. */
enum status lines_next_of(struct lines *lines, const char *dataset, struct json_object **ret_record,
                          char *message);
void lines_close(struct lines *lines);

/* What is found below an object by keys, the last of which is NULL; NULL: nothing. */
struct json_object *json_below(struct json_object *object, ...) __attribute__((sentinel));
const char *json_text(struct json_object *value); /* NULL: it is no string */
uint64_t json_number(struct json_object *value);  /* 0: it is none */
nanotime json_moment(struct json_object *value);  /* NANOTIME_UNKNOWN: it is none */

/* What kind of record it is, behind "lastack."; "" for anything else. */
const char *record_kind(struct json_object *record);

#endif
