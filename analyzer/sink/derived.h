/*
 * derived: values of records that are not simply a member of a struct, and when a member is null.
 * Each write function appends one JSON value, each spell function writes one of JSON_SCALAR octets
 * at most at out and returns its end; the record is the one of the table that names it.
 */
#ifndef LASTACK_SINK_DERIVED_H
#define LASTACK_SINK_DERIVED_H

#include <stdbool.h>

struct record_writer;

/* struct flow_identity */
char *derived_spell_network_type(struct record_writer *writer, const void *record, char *out);
void derived_write_tape(struct record_writer *writer, const void *record);
void derived_write_deltas(struct record_writer *writer, const void *record);
char *derived_spell_community_id(struct record_writer *writer, const void *record, char *out);
char *derived_spell_packets(struct record_writer *writer, const void *record, char *out);
char *derived_spell_bytes(struct record_writer *writer, const void *record, char *out);
char *derived_spell_source_ip(struct record_writer *writer, const void *record, char *out);
char *derived_spell_destination_ip(struct record_writer *writer, const void *record, char *out);

/* struct flow_record */
char *derived_spell_flow_type(struct record_writer *writer, const void *record, char *out);
char *derived_spell_flow_duration(struct record_writer *writer, const void *record, char *out);
char *derived_spell_time_wait_side(struct record_writer *writer, const void *record, char *out);

/* struct icmp_record */
char *derived_spell_icmp_sender(struct record_writer *writer, const void *record, char *out);

/* struct event_record */
char *derived_spell_event_kind(struct record_writer *writer, const void *record, char *out);
void derived_write_reference(struct record_writer *writer, const void *record);
void derived_write_numbers(struct record_writer *writer, const void *record);
void derived_write_details(struct record_writer *writer, const void *record);

/* struct evidence_record */
char *derived_spell_evidence_flags(struct record_writer *writer, const void *record, char *out);
bool derived_evidence_is_relative(const void *record);
bool derived_evidence_has_ack(const void *record);
bool derived_evidence_has_relative_ack(const void *record);

/* struct segment_record */
char *derived_spell_segment_flags(struct record_writer *writer, const void *record, char *out);
bool derived_segment_is_relative(const void *record);
bool derived_segment_has_ack(const void *record);
bool derived_segment_has_relative_ack(const void *record);
bool derived_segment_has_timestamps(const void *record);

/* struct input_summary, struct run_summary, struct problem */
bool derived_is_damaged(const void *record);
bool derived_has_input_problem(const void *record);
void derived_write_span(struct record_writer *writer, const void *record);
void derived_write_link_types(struct record_writer *writer, const void *record);
void derived_write_skipped(struct record_writer *writer, const void *record);
bool derived_knows_drops(const void *record);
bool derived_interface_knows_drops(const void *record);
bool derived_stats_know_drops(const void *record);
void derived_write_problem_title(struct record_writer *writer, const void *record);
char *derived_spell_problem_source(struct record_writer *writer, const void *record, char *out);
char *derived_spell_problem_destination(struct record_writer *writer, const void *record,
                                        char *out);
void derived_write_no_list(struct record_writer *writer, const void *record);

/* struct host_record */
char *derived_spell_host_duration(struct record_writer *writer, const void *record, char *out);
char *derived_spell_host_network(struct record_writer *writer, const void *record, char *out);
char *derived_spell_host_source(struct record_writer *writer, const void *record, char *out);
char *derived_spell_host_destination(struct record_writer *writer, const void *record, char *out);
char *derived_spell_host_rate(struct record_writer *writer, const void *record, char *out);
char *derived_spell_host_range(struct record_writer *writer, const void *record, char *out);
char *derived_spell_host_share(struct record_writer *writer, const void *record, char *out);
bool derived_host_has_source(const void *record);
bool derived_host_has_destination(const void *record);
bool derived_host_has_series(const void *record);
bool derived_host_knows_dwell(const void *record);

/* Any record: the name of the capturing host. */
void derived_write_observer_name(struct record_writer *writer, const void *record);

/* struct path_record, and struct path_direction */
void derived_write_path_duration(struct record_writer *writer, const void *record);
void derived_write_path_client_ip(struct record_writer *writer, const void *record);
void derived_write_path_server_ip(struct record_writer *writer, const void *record);
void derived_write_path_taps(struct record_writer *writer, const void *record);
void derived_write_path_way_there(struct record_writer *writer, const void *record);
void derived_write_path_way_back(struct record_writer *writer, const void *record);
void derived_write_path_way_by(struct record_writer *writer, const void *record);
void derived_write_path_near_client(struct record_writer *writer, const void *record);
void derived_write_path_asymmetry(struct record_writer *writer, const void *record);
bool derived_path_has_delays(const void *record);
bool derived_path_is_joined(const void *record);
bool derived_path_knows_clock(const void *record);

/* struct evidence_record, by the tap that saw the packet */
/* Of struct segment_record, and of struct passage. */
void derived_write_segment_tap(struct record_writer *writer, const void *record);
void derived_write_segment_file(struct record_writer *writer, const void *record);
void derived_write_segment_file_packet(struct record_writer *writer, const void *record);
bool derived_passage_left(const void *record);
bool derived_passage_came(const void *record);
void derived_write_left_tap(struct record_writer *writer, const void *record);
void derived_write_came_tap(struct record_writer *writer, const void *record);
void derived_write_passage_changes(struct record_writer *writer, const void *record);

void derived_write_evidence_tap(struct record_writer *writer, const void *record);
void derived_write_evidence_file(struct record_writer *writer, const void *record);
void derived_write_evidence_file_packet(struct record_writer *writer, const void *record);

#endif
