/*
 * source reads every format it promises to read, to the nanosecond; and of a damaged capture all
 * that came before the damage, and not one packet more.
 */
#include "captures.h"

#include <sys/stat.h>

/* --- formats ---------------------------------------------------------------------------------- */

static void every_form_of_pcap_is_read_to_the_nanosecond(void **state)
{
    (void)state;
    const char *name = "form.pcap";
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct blob blob = blob_classic(&forms[i]);
        write_file(name, blob.octets, blob.size);
        struct source *source = open_file(&name);
        assert_int_equal(read_all(source, forms[i].fraction_nanos), PACKETS);
        assert_false(source_input(source, 0)->damaged);
        assert_string_equal(source_input(source, 0)->format, "pcap");
        assert_null(source_input(source, 0)->compression);
        assert_int_equal(source_input(source, 0)->packets, PACKETS);
        assert_int_equal(source_input(source, 0)->bytes, blob.size);
        source_free(source);
        free(blob.octets);
    }
}

static void pcapng_is_read_to_the_nanosecond(void **state)
{
    (void)state;
    const char *name = "x.pcapng";
    struct blob blob = blob_pcapng();
    write_file(name, blob.octets, blob.size);
    struct source *source = open_file(&name);
    assert_int_equal(read_all(source, 1), PACKETS);
    assert_string_equal(source_input(source, 0)->format, "pcapng");
    assert_false(source_input(source, 0)->damaged);
    source_free(source);
    free(blob.octets);
}

static void a_packet_longer_than_the_snapshot_is_cut_to_it(void **state)
{
    (void)state;
    const char *name = "snap.pcap";
    struct form form = forms[0];
    form.snaplen = 30;
    form.link_type = LINKTYPE_RAW;
    struct blob blob = blob_classic(&form);
    write_file(name, blob.octets, blob.size);
    struct source *source = open_file(&name);
    struct captured_packet packet;
    for (size_t i = 0; i < PACKETS; i++) {
        assert_int_equal(source_next(source, &packet), SOURCE_PACKET);
        assert_int_equal(packet.captured, packet_size(i) < 30 ? packet_size(i) : 30);
        assert_int_equal(packet.data[0], i);
        assert_int_equal(packet.link_type, DLT_RAW_HERE);
    }
    assert_string_equal(source_link_type_name(packet.link_type), "RAW");
    assert_string_equal(source_link_type_name(99999), "UNKNOWN");
    source_free(source);
    free(blob.octets);
}

static void interfaces_of_two_link_types_are_read_from_one_file(void **state)
{
    (void)state;
    const char *name = "mixed.pcapng";
    struct blob blob = blob_pcapng();
    struct captured_packet packet;
    blob_put_interface(&blob, LINKTYPE_RAW);
    size_t block = blob.size;
    blob_put_enhanced(&blob, PACKETS);
    blob.octets[block + 8] = 1; /* the second interface */
    write_file(name, blob.octets, blob.size);
    struct source *source = open_file(&name);
    for (size_t i = 0; i < PACKETS; i++) {
        assert_int_equal(source_next(source, &packet), SOURCE_PACKET);
        assert_packet(&packet, i, 1);
    }
    assert_int_equal(source_next(source, &packet), SOURCE_PACKET);
    assert_int_equal(packet.link_type, DLT_RAW_HERE);
    assert_int_equal(packet.interface, 1);
    assert_int_equal(source_next(source, &packet), SOURCE_END);
    const struct source_input *input = source_input(source, 0);
    assert_false(input->damaged);
    assert_int_equal(input->counts.sections, 1);
    assert_int_equal(input->counts.interface_count, 2);
    assert_int_equal(input->counts.interfaces[0].packets, PACKETS);
    assert_int_equal(input->counts.interfaces[1].packets, 1);
    source_free(source);
    free(blob.octets);
}

static void a_damaged_block_is_left_out_and_the_rest_read(void **state)
{
    (void)state;
    const char *name = "damaged.pcapng";
    static const struct {
        size_t at; /* octet of packet 3's block that is changed */
        uint8_t to;
    } damages[] = {{8, 7}, {20, 0xff}, {23, 1}, {4, 0xfc}, {5, 1}, {7, 0x7f}, {7, 0xff}, {4, 0}};
    for (size_t d = 0; d < ARRAY_LEN(damages); d++) {
        struct blob blob = blob_pcapng();
        struct captured_packet packet;
        blob.octets[blob.ends[2] + damages[d].at] = damages[d].to;
        write_file(name, blob.octets, blob.size);
        struct source *source = open_file(&name);
        for (size_t i = 0; i < PACKETS; i++) {
            if (i == 2)
                continue;
            assert_int_equal(source_next(source, &packet), SOURCE_PACKET);
            assert_int_equal(packet.captured, packet_size(i));
            assert_int_equal(packet.time, packet_time(i));
        }
        assert_int_equal(source_next(source, &packet), SOURCE_END);
        const struct source_input *input = source_input(source, 0);
        assert_true(input->damaged);
        assert_int_equal(input->counts.damaged_blocks, 1);
        assert_non_null(strstr(input->problem, "before packet 3"));
        source_free(source);
        free(blob.octets);
    }
}

/* --- damage ----------------------------------------------------------------------------------- */

/* Cuts the file at every octet: whole packets are given, and damaged is said inside of one. */
static void cut_everywhere(const char *name, const struct blob *blob, size_t header,
                           uint32_t fraction_nanos)
{
    for (size_t cut = 0; cut <= blob->size; cut++) {
        write_file(name, blob->octets, cut);
        if (cut < header) {
            assert_refused(name, NULL, STATUS_UNREADABLE, name);
            continue;
        }
        size_t whole = 0;
        while (whole < PACKETS && blob->ends[whole + 1] <= cut)
            whole++;
        char number[32];
        snprintf(number, sizeof number, "packet %zu,", whole + 1);
        struct source *source = open_file(&name);
        assert_int_equal(read_all(source, fraction_nanos), whole);
        const struct source_input *input = source_input(source, 0);
        assert_int_equal(input->damaged, cut != blob->ends[whole] && cut != header);
        assert_int_equal(input->packets, whole);
        assert_int_equal(strstr(input->problem, number) != NULL, input->damaged);
        assert_int_equal(strstr(input->problem, "cut short") != NULL, input->damaged);
        source_free(source);
    }
}

enum { SECTION_HEADER = 28 }; /* octets; a pcapng file may end behind it */

static void a_cut_is_told_wherever_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct blob blob = blob_classic(&forms[i]);
        cut_everywhere("cut.pcap", &blob, blob.ends[0], forms[i].fraction_nanos);
        free(blob.octets);
    }
    struct blob blob = blob_pcapng();
    cut_everywhere("cut.pcapng", &blob, SECTION_HEADER, 1);
    free(blob.octets);
}

static void a_record_that_lies_about_its_length_ends_its_file_only(void **state)
{
    (void)state;
    static const uint32_t lies[] = {262145, 0x7fffffff, 0x80000000, 0xffffffff};
    const char *const names[] = {"lie.pcap", "later.pcap"};
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        struct blob blob = blob_classic(&forms[0]);
        memcpy(blob.octets + blob.ends[2] + 8, &(uint32_t){htole32(lies[i])}, 4);
        write_file(names[0], blob.octets, blob.size);
        blob.size = 0;
        blob_put_header(&blob, &forms[0]);
        blob_put_record(&blob, &forms[0], packet_time(100), 0);
        write_file(names[1], blob.octets, blob.size);

        struct source *source = open_files(names, 2);
        struct captured_packet packet;
        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(source_next(source, &packet), SOURCE_PACKET);
            assert_packet(&packet, k, 1000);
        }
        assert_int_equal(source_next(source, &packet), SOURCE_PACKET);
        assert_int_equal(packet.input, 1);
        assert_int_equal(source_next(source, &packet), SOURCE_END);
        assert_true(source_input(source, 0)->damaged);
        assert_non_null(strstr(source_input(source, 0)->problem, "packet 3, at octet 103"));
        assert_false(source_input(source, 1)->damaged);
        source_free(source);
        free(blob.octets);
    }
}

static void what_is_no_capture_is_refused_in_one_line(void **state)
{
    (void)state;
    mkdir("folder", 0700);
    write_file("empty.pcap", NULL, 0);
    write_file("text.pcap", (const uint8_t *)"dear \x1b[31m reader", 17);
    write_file("a.bz2", (const uint8_t *)"BZh91AY", 7);
    write_file("bad\n\x1b[1m\xff", (const uint8_t *)"x", 1);
    assert_refused("missing.pcap", NULL, STATUS_NOT_FOUND, "missing.pcap: no such file");
    assert_refused("folder", NULL, STATUS_UNREADABLE, "folder: a directory");
    assert_refused("empty.pcap", NULL, STATUS_UNREADABLE, "empty.pcap: empty (0 octets)");
    assert_refused("text.pcap", NULL, STATUS_UNREADABLE, "\"dear \\x1b[31m reade\"");
    assert_refused("a.bz2", NULL, STATUS_UNREADABLE, "bzip2 -dc FILE | lastack -");
    assert_refused("bad\n\x1b[1m\xff", NULL, STATUS_UNREADABLE, "bad\\x0a\\x1b[1m\\xff: ");
    struct form form = forms[0];
    form.minor = 9;
    struct blob blob = blob_classic(&form);
    write_file("new.pcap", blob.octets, blob.size);
    assert_refused("new.pcap", NULL, STATUS_UNREADABLE, "2.9");
    free(blob.octets);
    if (geteuid() == 0) /* nothing is forbidden to root */
        return;
    write_file("secret.pcap", NULL, 0);
    chmod("secret.pcap", 0);
    assert_refused("secret.pcap", NULL, STATUS_DENIED, "sudo cat FILE | lastack -");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_pcap_is_read_to_the_nanosecond),
        cmocka_unit_test(pcapng_is_read_to_the_nanosecond),
        cmocka_unit_test(a_packet_longer_than_the_snapshot_is_cut_to_it),
        cmocka_unit_test(interfaces_of_two_link_types_are_read_from_one_file),
        cmocka_unit_test(a_damaged_block_is_left_out_and_the_rest_read),
        cmocka_unit_test(a_cut_is_told_wherever_it_is),
        cmocka_unit_test(a_record_that_lies_about_its_length_ends_its_file_only),
        cmocka_unit_test(what_is_no_capture_is_refused_in_one_line),
    };
    return cmocka_run_group_tests(tests, enter_directory, remove_directory);
}
