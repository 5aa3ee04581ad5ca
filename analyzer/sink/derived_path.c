/* derived_path: the derived values of what lies between taps; see derived.h. */
#include "../event/path_record.h"
#include "derived.h"
#include "place.h"
#include "record_writer.h"

static void put_name(struct record_writer *writer, int tap)
{
    bool named = tap >= 0 && writer->taps != NULL && (uint32_t)tap < writer->taps->count;
    json_put_string(&writer->json, named ? writer->taps->names[tap] : NULL);
}

static void put_end(struct record_writer *writer, const struct path_record *path, int side)
{
    char *out = json_writer_reserve(&writer->json, JSON_SCALAR);
    if (out)
        json_writer_commit(&writer->json, json_spell_address(out, path->who.ip_version,
                                                             path->far_end[side].address));
}

void derived_write_path_duration(struct record_writer *writer, const void *record)
{
    const struct path_record *path = record;
    json_put_integer(&writer->json, time_since(path->end, path->start));
}

void derived_write_path_client_ip(struct record_writer *writer, const void *record)
{
    put_end(writer, record, CLIENT);
}

void derived_write_path_server_ip(struct record_writer *writer, const void *record)
{
    put_end(writer, record, SERVER);
}

void derived_write_path_taps(struct record_writer *writer, const void *record)
{
    const struct path_record *path = record;
    json_put_raw(&writer->json, "[", 1);
    put_name(writer, path->tap[0]);
    json_put_raw(&writer->json, ",", 1);
    put_name(writer, path->tap[1]);
    json_put_raw(&writer->json, "]", 1);
}

void derived_write_path_near_client(struct record_writer *writer, const void *record)
{
    const struct path_record *path = record;
    put_name(writer, path->near_client);
}

static void put_way(struct record_writer *writer, const struct path_way *way)
{
    if (way->count == 0) {
        json_put_raw(&writer->json, "null", 4);
        return;
    }
    for (uint32_t i = 0; i < way->count; i++) {
        json_put_raw(&writer->json, i == 0 ? "[" : ",", 1);
        put_name(writer, way->tap[i]);
    }
    json_put_raw(&writer->json, "]", 1);
}

void derived_write_path_way_there(struct record_writer *writer, const void *record)
{
    put_way(writer, &((const struct path_record *)record)->way[CLIENT]);
}

void derived_write_path_way_back(struct record_writer *writer, const void *record)
{
    put_way(writer, &((const struct path_record *)record)->way[SERVER]);
}

void derived_write_path_way_by(struct record_writer *writer, const void *record)
{
    const struct path_way *way = ((const struct path_record *)record)->way;
    bool known = way[CLIENT].count > 0 || way[SERVER].count > 0;
    bool by_hops = way[CLIENT].by_hops || way[SERVER].by_hops;
    json_put_string(&writer->json, !known ? NULL : by_hops ? "hop_limits" : "delays");
}

void derived_write_path_asymmetry(struct record_writer *writer, const void *record)
{
    const struct path_record *path = record;
    const struct path_direction *out = &path->direction[CLIENT], *back = &path->direction[SERVER];
    if (out->delays == 0 || back->delays == 0)
        json_put_raw(&writer->json, "null", 4);
    else
        json_put_integer(&writer->json, time_since(out->delay_mean, back->delay_mean));
}

bool derived_path_has_delays(const void *record)
{
    const struct path_direction *direction = record;
    return direction->delays > 0;
}

bool derived_path_is_joined(const void *record)
{
    const struct path_record *path = record;
    return path->joined != JOINED_NOT;
}

bool derived_path_knows_clock(const void *record)
{
    const struct path_record *path = record;
    return path->clock_known;
}

/* With taps, a packet is named by its tap, and its file by that tap's. */

static const struct input_span *span_of(const struct record_writer *writer,
                                        const struct evidence_record *evidence)
{
    return place_of_evidence(writer->inputs, writer->taps, evidence);
}

void derived_write_evidence_tap(struct record_writer *writer, const void *record)
{
    json_put_string(&writer->json, place_tap(writer->taps, record));
}

void derived_write_evidence_file(struct record_writer *writer, const void *record)
{
    const struct input_span *span = span_of(writer, record);
    json_put_string(&writer->json, span ? span->name : NULL);
}

void derived_write_evidence_file_packet(struct record_writer *writer, const void *record)
{
    const struct evidence_record *evidence = record;
    const struct input_span *span = span_of(writer, evidence);
    if (span)
        json_put_unsigned(&writer->json, place_in_file(span, evidence->packet));
    else
        json_put_raw(&writer->json, "null", 4);
}

/* --- a segment --- */

static const struct input_span *span_of_segment(const struct record_writer *writer,
                                                const struct segment_record *segment)
{
    bool named = writer->taps != NULL && (uint32_t)segment->tap < writer->taps->count;
    const struct input_spans *inputs = named ? writer->taps->spans[segment->tap] : writer->inputs;
    return inputs != NULL ? place_find(inputs, segment->packet) : NULL;
}

void derived_write_segment_tap(struct record_writer *writer, const void *record)
{
    put_name(writer, ((const struct segment_record *)record)->tap);
}

void derived_write_segment_file(struct record_writer *writer, const void *record)
{
    const struct input_span *span = span_of_segment(writer, record);
    json_put_string(&writer->json, span ? span->name : NULL);
}

void derived_write_segment_file_packet(struct record_writer *writer, const void *record)
{
    const struct segment_record *segment = record;
    const struct input_span *span = span_of_segment(writer, segment);
    if (span)
        json_put_unsigned(&writer->json, place_in_file(span, segment->packet));
    else
        json_put_raw(&writer->json, "null", 4);
}

bool derived_passage_left(const void *record)
{
    return ((const struct passage *)record)->left.packet != 0;
}

bool derived_passage_came(const void *record)
{
    return ((const struct passage *)record)->came.packet != 0;
}

void derived_write_left_tap(struct record_writer *writer, const void *record)
{
    put_name(writer, ((const struct passage *)record)->left.tap);
}

void derived_write_came_tap(struct record_writer *writer, const void *record)
{
    put_name(writer, ((const struct passage *)record)->came.tap);
}

void derived_write_passage_changes(struct record_writer *writer, const void *record)
{
    const struct passage *passage = record;
    bool some = false;
    json_put_raw(&writer->json, "[", 1);
    for (int i = 0; i < PATH_CHANGES; i++) {
        if ((passage->changed >> i & 1) == 0)
            continue;
        if (some)
            json_put_raw(&writer->json, ",", 1);
        json_put_string(&writer->json, path_change_name(i));
        some = true;
    }
    json_put_raw(&writer->json, "]", 1);
}
