/*
 * fields: what every JSON record holds, key by key.
 *
 * A table describes one JSON object: the keys in the order they are written, where in the C record
 * each value lies, what kind it is and what it means.  record_writer writes records from these
 * tables, by way of layout, and schema prints the JSON Schema from them, so the two cannot
 * disagree.  The rows stand in fields_flow.def, fields_event.def and fields_run.def.
 */
#ifndef LASTACK_SINK_FIELDS_H
#define LASTACK_SINK_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json_writer.h"
#include "vocabulary.h"

struct record_writer;

enum field_kind {
    FIELD_FIXED, /* the JSON text in schema, always the same */
    FIELD_BOOL,
    FIELD_COUNT,        /* unsigned, of 1, 2, 4 or 8 octets; 2^53 - 1 at most */
    FIELD_TIME,         /* nanotime as RFC 3339 */
    FIELD_DURATION,     /* nanotime as an integer of ns */
    FIELD_UID,          /* uint64_t as 16 hexadecimal digits */
    FIELD_WORD,         /* an enum, spelled by words */
    FIELD_STRING,       /* const char * from anywhere; NULL: null */
    FIELD_TEXT,         /* char array from anywhere */
    FIELD_RAW,          /* const char *: a record of table, serialised already */
    FIELD_OBJECT,       /* table, at offset of the same record */
    FIELD_POINTED,      /* table, where the pointer at offset leads */
    FIELD_LIST,         /* array of table's records, or of enum values spelled by words */
    FIELD_POINTED_LIST, /* the same, where the pointer at offset leads */
    FIELD_FILE,         /* uint64_t packet number: name of the input it came from */
    FIELD_FILE_PACKET,  /* uint64_t packet number: its number within that input */
    FIELD_TALLY,        /* object of the words, with uint64_t counts from an array at offset */
    FIELD_BITS,         /* uint64_t: the list of words whose bits are set */
    FIELD_SPELLED,      /* derived, JSON_SCALAR octets at most: spell() writes the value at out */
    FIELD_WRITTEN,      /* derived: write() appends the value, schema says what it is */
};

struct field_table;

struct field {
    char key[JSON_KEY]; /* ,"name": so that one fixed-size copy writes all but the value */
    uint8_t key_length;
    uint8_t kind;       /* enum field_kind */
    uint8_t words;      /* enum vocabulary_id */
    bool zero_is_null;  /* FIELD_COUNT, FIELD_UID */
    bool empty_is_null; /* FIELD_TEXT; its schema says so */
    bool seldom;        /* FIELD_BOOL, FIELD_COUNT: nearly always 0, as the fields next to it */
    bool alike;      /* scalars: differs little from record to record, as the fields next to it */
    bool never_null; /* FIELD_STRING, FIELD_TIME, FIELD_DURATION: always there */
    bool only_observed; /* the key is left out unless an observer was named */
    bool only_several;  /* the key is left out unless there are several inputs */
    bool only_taps;     /* the key is left out unless there are taps */
    uint32_t offset;
    uint32_t size;                     /* of the member; FIELD_LIST: of one element */
    uint32_t count_offset, count_size; /* FIELD_LIST: the member that counts the elements */
    const struct field_table *table;
    uint32_t known_offset,
        known_size; /* a member of 1 or 8 octets: 0: null; size 0: always known */
    bool (*known)(const void *record); /* likewise: false: null; NULL: always known */
    char *(*spell)(struct record_writer *writer, const void *record, char *out);
    void (*write)(struct record_writer *writer, const void *record);
    const char *schema; /* of FIELD_FIXED the value; else the value's JSON Schema; NULL: by kind */
    const char *description;
};

struct field_table {
    const char *name; /* in the schema's $defs */
    const char *description;
    const struct field *rows; /* up to one with an empty key */
};

/* What leaves lastack: the C record each is written from is named in the .def files. */
extern const struct field_table flow_table;       /* struct flow_record */
extern const struct field_table event_table;      /* struct event_record */
extern const struct field_table transition_table; /* struct transition_record */
extern const struct field_table segment_table;    /* struct segment_record */
extern const struct field_table host_table;       /* struct host_record */
extern const struct field_table tape_table;       /* struct tape_record */
extern const struct field_table deltas_table;     /* struct deltas_record */
extern const struct field_table path_table;       /* struct path_record */
extern const struct field_table stats_table;      /* struct stats_record */
extern const struct field_table summary_table;    /* struct run_view */
extern const struct field_table report_table;     /* struct run_view */

#endif
