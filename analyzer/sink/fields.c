/*
 * fields: the tables, made from the rows of the .def files.
 *
 * TABLE .. END  one JSON object
 * RECORD .. END the same, for what leaves lastack
 * FIELD         a member of the record
 * PART          an object that is a struct within the record
 * POINTED       an object that a pointer of the record leads to
 * GROUP         an object whose values lie in the same record
 * LIST          an array within the record, with the member that counts it
 * LIST_AT       an array that a pointer of the record leads to
 * TALLY         counts by word
 * FIXED         the same JSON in every record
 * WRITTEN       a derived value
 * SPELLED       the same, of JSON_SCALAR octets at most
 * OBSERVER      the capturing host, where it was named
 * PLACE         with several inputs: the file of a packet, and its number there
 *
 * KNOWN_BY      further: null where that member is zero
 *
 * What follows the description sets further members of struct field.
 */
#include "fields.h"

#include "derived.h"
#include "run_view.h"
#include "sinks.h"

/* clang-format off */
#define SCHEMA_VERSION_TEXT "\"" SINK_SCHEMA_VERSION "\""
#define ECS_VERSION_TEXT    "{\"version\":\"8.11.0\"}"

#define SCHEMA_STRING          "{\"type\":\"string\"}"
#define SCHEMA_COUNT           "{\"type\":\"integer\",\"minimum\":0,\"maximum\":9007199254740991}"
#define SCHEMA_INTEGER         "{\"type\":\"integer\",\"minimum\":-9007199254740991,\"maximum\":9007199254740991}"
#define SCHEMA_INTEGER_OR_NULL "{\"type\":[\"integer\",\"null\"],\"minimum\":-9007199254740991,\"maximum\":9007199254740991}"
#define SCHEMA_SEVERITY        "{\"type\":\"integer\",\"minimum\":1,\"maximum\":4}"
#define SCHEMA_NETWORK_TYPE    "{\"enum\":[\"ipv4\",\"ipv6\"]}"
#define SCHEMA_COMMUNITY_ID    "{\"type\":\"string\",\"pattern\":\"^1:[A-Za-z0-9+/]{27}=$\"}"
#define SCHEMA_ADDRESS         "{\"type\":\"string\",\"anyOf\":[{\"format\":\"ipv4\",\"pattern\":\"^[0-9.]{7,15}$\"}," \
                               "{\"format\":\"ipv6\",\"pattern\":\"^[0-9a-f:.]*:[0-9a-f:.]*$\"}]}"
#define SCHEMA_URI             "{\"type\":\"string\",\"format\":\"uri\",\"pattern\":\"^https://\"}"
#define SCHEMA_FLAGS           "{\"type\":\"string\",\"pattern\":\"^F?S?R?P?A?U?E?C?$\"}"
#define SCHEMA_FLOW_TYPE       "{\"enum\":[[\"connection\",\"end\"],[\"connection\",\"info\"]]}"
#define SCHEMA_EVENT_KIND      "{\"enum\":[\"alert\",\"event\"]}"
#define SCHEMA_TIME_WAIT_SIDE  "{\"enum\":[\"client\",\"server\",\"both\"]}"
#define SCHEMA_NUMBERS         "{\"type\":\"object\",\"propertyNames\":{\"pattern\":\"^[a-z][a-z0-9_]*$\"}," \
                               "\"additionalProperties\":" SCHEMA_INTEGER_OR_NULL "}"
#define SCHEMA_DETAILS         "{\"type\":\"object\",\"propertyNames\":{\"pattern\":\"^[a-z][a-z0-9_]*$\"}," \
                               "\"additionalProperties\":{\"type\":[\"string\",\"null\"]}}"
#define SCHEMA_COUNTS          "{\"type\":\"object\",\"additionalProperties\":" SCHEMA_COUNT "}"
#define SCHEMA_BASE64          "{\"type\":\"string\",\"contentEncoding\":\"base64\"}"
#define SCHEMA_HOST_LIST       "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/host\"}}"
#define SCHEMA_PATH_LIST       "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/path\"}}"
#define SCHEMA_FLOW_LIST       "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/flow\"}}"

#define MEMBER_SIZE(record, member) sizeof(((struct record *)0)->member)
#define KEY(name) .key = ",\"" name "\":", .key_length = sizeof(name) + 3

#define TABLE(table_name, schema_name, text) \
    static const struct field_table table_name = {schema_name, text, (const struct field[]){
#define RECORD(table_name, schema_name, text) \
    const struct field_table table_name = {schema_name, text, (const struct field[]){
#define END(table_name) \
    {.key_length = 0}}};
#define FIELD(name, field_kind, record, member, text, ...) \
    {KEY(name), .kind = field_kind, .offset = offsetof(struct record, member), \
     .size = MEMBER_SIZE(record, member), .description = text, __VA_ARGS__},
#define PART(name, part_table, record, member, text, ...) \
    {KEY(name), .kind = FIELD_OBJECT, .offset = offsetof(struct record, member), \
     .table = &part_table, .description = text, __VA_ARGS__},
#define POINTED(name, part_table, record, member, text) \
    {KEY(name), .kind = FIELD_POINTED, .offset = offsetof(struct record, member), \
     .table = &part_table, .description = text},
#define GROUP(name, part_table, text, ...) \
    {KEY(name), .kind = FIELD_OBJECT, .table = &part_table, .description = text, __VA_ARGS__},
#define LIST(name, record, member, count_member, text, ...) \
    {KEY(name), .kind = FIELD_LIST, .offset = offsetof(struct record, member), \
     .size = MEMBER_SIZE(record, member[0]), .count_offset = offsetof(struct record, count_member), \
     .count_size = MEMBER_SIZE(record, count_member), .description = text, __VA_ARGS__},
#define LIST_AT(name, record, member, count_member, text, ...) \
    {KEY(name), .kind = FIELD_POINTED_LIST, .offset = offsetof(struct record, member), \
     .size = MEMBER_SIZE(record, member[0]), .count_offset = offsetof(struct record, count_member), \
     .count_size = MEMBER_SIZE(record, count_member), .description = text, __VA_ARGS__},
#define TALLY(name, record, member, text, ...) \
    {KEY(name), .kind = FIELD_TALLY, .offset = offsetof(struct record, member), \
     .description = text, __VA_ARGS__},
#define FIXED(name, json, text) \
    {KEY(name), .kind = FIELD_FIXED, .schema = json, .size = sizeof(json) - 1, .description = text},
#define WRITTEN(name, function, json_schema, text, ...) \
    {KEY(name), .kind = FIELD_WRITTEN, .write = function, .schema = json_schema, \
     .description = text, __VA_ARGS__},
#define SPELLED(name, function, json_schema, text, ...) \
    {KEY(name), .kind = FIELD_SPELLED, .spell = function, .schema = json_schema, \
     .description = text, __VA_ARGS__},
#define KNOWN_BY(record, member) \
    .known_offset = offsetof(struct record, member), .known_size = MEMBER_SIZE(record, member)
#define OBSERVER \
    {KEY("observer"), .kind = FIELD_OBJECT, .table = &observer_table, .only_observed = true, \
     .description = "the capturing host, when it was named"},
#define PLACE(record, member) \
    {KEY("file"), .kind = FIELD_FILE, .offset = offsetof(struct record, member), .only_several = true, \
     .description = "with several inputs: the one that the packet came from, as it was named"}, \
    {KEY("file_packet"), .kind = FIELD_FILE_PACKET, .offset = offsetof(struct record, member), \
     .only_several = true, .description = "with several inputs: the packet's number in that one"},
TABLE(observer_table, "observer", "the capturing host")
    WRITTEN("name", derived_write_observer_name, SCHEMA_STRING, "its name")
END(observer_table)
/* clang-format on */

#include "fields_flow.def"
#include "fields_event.def"
#include "fields_host.def"
#include "fields_path.def"
#include "fields_run.def"
