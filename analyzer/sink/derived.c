/* derived: one short function a value. */
#include "derived.h"

#include <nettle/base64.h>
#include <string.h>

#include "problems.h"
#include "record_writer.h"
#include "run_view.h"

/* TCP control bits from the least significant on (RFC 9293 3.1): FIN SYN RST PSH ACK URG ECE CWR.
 */
static const char flag_letters[] = "FSRPAUEC";
enum { FLAG_ACK = 0x10, FLAGS = 8, SPELLED = 24 };

static void put_text(struct record_writer *writer, const char *text)
{
    json_put_raw(&writer->json, text, strlen(text));
}

/* JSON of ours, of one or the other kind: a copy of fixed size is cheaper than one of its own. */
static inline char *spell_either(char *out, bool first, const char texts[2][SPELLED])
{
    const char *text = texts[first ? 0 : 1];
    memcpy(out, text, SPELLED);
    return out + strlen(text);
}

static char *spell_flags(char *out, uint8_t flags)
{
    *out++ = '"';
    for (int bit = 0; bit < FLAGS; bit++) {
        *out = flag_letters[bit];
        out += flags >> bit & 1;
    }
    *out++ = '"';
    return out;
}

char *derived_spell_network_type(struct record_writer *writer, const void *record, char *out)
{
    const struct flow_identity *who = record;
    (void)writer;
    memcpy(out, who->ip_version == 4 ? "\"ipv4\"" : "\"ipv6\"", 6);
    return out + 6;
}

static bool is_cached(const struct community_cache *cache, const struct flow_identity *who)
{
    return cache->port[CLIENT] == who->end[CLIENT].port &&
           cache->port[SERVER] == who->end[SERVER].port &&
           memcmp(cache->address[CLIENT], who->end[CLIENT].address, 16) == 0 &&
           memcmp(cache->address[SERVER], who->end[SERVER].address, 16) == 0 &&
           cache->ip_version == who->ip_version;
}

static void fill_cache(struct community_cache *cache, const struct flow_identity *who)
{
    struct community_end end[2];
    for (int side = CLIENT; side <= SERVER; side++) {
        memcpy(cache->address[side], who->end[side].address, 16);
        cache->port[side] = who->end[side].port;
        end[side] = (struct community_end){who->end[side].address, who->end[side].port};
    }
    cache->ip_version = who->ip_version;
    community_id_tcp(who->ip_version, end[CLIENT], end[SERVER], cache->text);
}

char *derived_spell_community_id(struct record_writer *writer, const void *record, char *out)
{
    enum { LENGTH = COMMUNITY_ID_SIZE - 1 };
    const struct flow_identity *who = record;
    if (!is_cached(&writer->community, who))
        fill_cache(&writer->community, who);
    out[0] = out[LENGTH + 1] = '"';
    memcpy(out + 1, writer->community.text, LENGTH);
    return out + LENGTH + 2;
}

static void put_base64(struct record_writer *writer, const uint8_t *octets, size_t count)
{
    size_t length = BASE64_ENCODE_RAW_LENGTH(count);
    char *out = json_writer_reserve(&writer->json, length + 2);
    if (out == NULL)
        return;
    out[0] = out[length + 1] = '"';
    base64_encode_raw(out + 1, count, octets);
    json_writer_commit(&writer->json, out + length + 2);
}

void derived_write_tape(struct record_writer *writer, const void *record)
{
    const struct tape_record *tape = record;
    put_base64(writer, tape->octets, tape->count);
}

void derived_write_deltas(struct record_writer *writer, const void *record)
{
    const struct deltas_record *deltas = record;
    put_base64(writer, deltas->octets, deltas->count);
}

char *derived_spell_packets(struct record_writer *writer, const void *record, char *out)
{
    const struct flow_identity *who = record;
    (void)writer;
    return json_spell_unsigned(out, who->end[CLIENT].packets + who->end[SERVER].packets);
}

char *derived_spell_bytes(struct record_writer *writer, const void *record, char *out)
{
    const struct flow_identity *who = record;
    (void)writer;
    return json_spell_unsigned(out, who->end[CLIENT].ip_bytes + who->end[SERVER].ip_bytes);
}

char *derived_spell_source_ip(struct record_writer *writer, const void *record, char *out)
{
    const struct flow_identity *who = record;
    (void)writer;
    return json_spell_address(out, who->ip_version, who->end[CLIENT].address);
}

char *derived_spell_destination_ip(struct record_writer *writer, const void *record, char *out)
{
    const struct flow_identity *who = record;
    (void)writer;
    return json_spell_address(out, who->ip_version, who->end[SERVER].address);
}

char *derived_spell_flow_type(struct record_writer *writer, const void *record, char *out)
{
    static const char types[2][SPELLED] = {"[\"connection\",\"end\"]", "[\"connection\",\"info\"]"};
    const struct flow_record *flow = record;
    (void)writer;
    return spell_either(out, flow->final, types);
}

char *derived_spell_flow_duration(struct record_writer *writer, const void *record, char *out)
{
    const struct flow_record *flow = record;
    (void)writer;
    return json_spell_integer(out, time_since(flow->end, flow->start));
}

char *derived_spell_time_wait_side(struct record_writer *writer, const void *record, char *out)
{
    static const char sides[2][SPELLED] = {"\"client\"", "\"server\""};
    const struct flow_record *flow = record;
    (void)writer;
    if (!flow->time_wait_both)
        return spell_either(out, flow->time_wait_side == CLIENT, sides);
    memcpy(out, "\"both\"", 6);
    return out + 6;
}

char *derived_spell_icmp_sender(struct record_writer *writer, const void *record, char *out)
{
    const struct icmp_record *icmp = record;
    (void)writer;
    return json_spell_address(out, icmp->ip_version, icmp->from);
}

char *derived_spell_event_kind(struct record_writer *writer, const void *record, char *out)
{
    static const char kinds[2][SPELLED] = {"\"alert\"", "\"event\""};
    const struct event_record *event = record;
    (void)writer;
    return spell_either(out, event->level == LEVEL_WARNING || event->level == LEVEL_ERROR, kinds);
}

void derived_write_reference(struct record_writer *writer, const void *record)
{
    const struct event_record *event = record;
    json_put_string(&writer->json, event_row(event->id)->reference);
}

void derived_write_numbers(struct record_writer *writer, const void *record)
{
    const struct event_record *event = record;
    put_text(writer, "{");
    for (uint32_t number = 0; number < event->number_count; number++) {
        int64_t value = event->numbers[number].value;
        if (number > 0)
            put_text(writer, ",");
        json_put_string(&writer->json, event->numbers[number].name);
        put_text(writer, ":");
        if (value == NANOTIME_UNKNOWN)
            put_text(writer, "null");
        else
            json_put_integer(&writer->json, value);
    }
    put_text(writer, "}");
}

void derived_write_details(struct record_writer *writer, const void *record)
{
    const struct event_record *event = record;
    put_text(writer, "{");
    for (uint32_t detail = 0; detail < event->detail_count; detail++) {
        if (detail > 0)
            put_text(writer, ",");
        json_put_string(&writer->json, event->details[detail].name);
        put_text(writer, ":");
        json_put_string(&writer->json, event->details[detail].value);
    }
    put_text(writer, "}");
}

char *derived_spell_evidence_flags(struct record_writer *writer, const void *record, char *out)
{
    const struct evidence_record *evidence = record;
    (void)writer;
    return spell_flags(out, evidence->flags);
}

bool derived_evidence_is_relative(const void *record)
{
    const struct evidence_record *evidence = record;
    return evidence->relative_known;
}

bool derived_evidence_has_ack(const void *record)
{
    const struct evidence_record *evidence = record;
    return (evidence->flags & FLAG_ACK) != 0;
}

bool derived_evidence_has_relative_ack(const void *record)
{
    const struct evidence_record *evidence = record;
    return evidence->ack_relative_known && derived_evidence_has_ack(record);
}

char *derived_spell_segment_flags(struct record_writer *writer, const void *record, char *out)
{
    const struct segment_record *segment = record;
    (void)writer;
    return spell_flags(out, segment->flags);
}

bool derived_segment_is_relative(const void *record)
{
    const struct segment_record *segment = record;
    return segment->relative_known;
}

bool derived_segment_has_ack(const void *record)
{
    const struct segment_record *segment = record;
    return (segment->flags & FLAG_ACK) != 0;
}

bool derived_segment_has_relative_ack(const void *record)
{
    const struct segment_record *segment = record;
    return segment->ack_relative_known && derived_segment_has_ack(record);
}

bool derived_segment_has_timestamps(const void *record)
{
    const struct segment_record *segment = record;
    return segment->timestamps;
}

bool derived_is_damaged(const void *record)
{
    const struct input_summary *input = record;
    return input->damaged;
}

bool derived_has_input_problem(const void *record)
{
    const struct input_summary *input = record;
    return input->problem[0] != '\0';
}

void derived_write_span(struct record_writer *writer, const void *record)
{
    const struct run_summary *run = record;
    if (run->first == NANOTIME_UNKNOWN || run->last == NANOTIME_UNKNOWN)
        put_text(writer, "null");
    else
        json_put_integer(&writer->json, time_since(run->last, run->first));
}

static void put_counts(struct record_writer *writer, const struct count_by_name *counts,
                       uint32_t count)
{
    put_text(writer, "{");
    for (uint32_t row = 0; row < count; row++) {
        if (row > 0)
            put_text(writer, ",");
        json_put_string(&writer->json, counts[row].name);
        put_text(writer, ":");
        json_put_unsigned(&writer->json, counts[row].count);
    }
    put_text(writer, "}");
}

void derived_write_link_types(struct record_writer *writer, const void *record)
{
    const struct run_summary *run = record;
    put_counts(writer, run->link_types, run->link_type_count);
}

void derived_write_skipped(struct record_writer *writer, const void *record)
{
    const struct run_summary *run = record;
    put_counts(writer, run->skipped, run->skipped_count);
}

bool derived_knows_drops(const void *record)
{
    const struct run_summary *run = record;
    return run->drops_known;
}

bool derived_interface_knows_drops(const void *record)
{
    return ((const struct interface_summary *)record)->drops_known;
}

bool derived_stats_know_drops(const void *record)
{
    return ((const struct stats_record *)record)->drops_known;
}

void derived_write_problem_title(struct record_writer *writer, const void *record)
{
    const struct problem *problem = record;
    json_put_string(&writer->json, event_row((enum event_id)problem->key.id)->title);
}

char *derived_spell_problem_source(struct record_writer *writer, const void *record, char *out)
{
    const struct problem *problem = record;
    (void)writer;
    return json_spell_address(out, (uint8_t)problem->key.ip_version, problem->key.source);
}

char *derived_spell_problem_destination(struct record_writer *writer, const void *record, char *out)
{
    const struct problem *problem = record;
    (void)writer;
    return json_spell_address(out, (uint8_t)problem->key.ip_version, problem->key.destination);
}

void derived_write_no_list(struct record_writer *writer, const void *record)
{
    (void)record;
    put_text(writer, "[]");
}

void derived_write_observer_name(struct record_writer *writer, const void *record)
{
    (void)record;
    json_put_string(&writer->json, writer->observer);
}
