/* icmp: which errors are read, what they quote, and which connection they are about. */
#include "frames.h"

#include <stdio.h>

#include "../../analyzer/analyzer.h"

/* An error from 10.9.9.9 to 10.0.0.1; a quoted header of 10.0.0.1 to 10.0.0.2, as TCP_PLAIN. */
#define ROUTER4        "0a090909 0a000001"
#define OUTER4(length) "4500" length "0000 0000 40 01 0000" ROUTER4
#define QUOTE4(field)  "4500 0400 0000" field "40 06 0000" IP4_ADDRESSES
#define ROUTER6        "20010db8000000000000000000000009"
#define OUTER6(length) "60000000" length "3a 40" ROUTER6 IP6_SOURCE
#define QUOTE6(next)   "60000000 0400" next "40" IP6_SOURCE IP6_TARGET
#define EIGHT_OCTETS   "03e9 03ea 11223344"

struct shape {
    const char *name;
    const char *hex;
    uint8_t type, code;
    uint32_t mtu;
    enum dissect_result result;
};

/* clang-format off */
static const struct shape shapes[] = {
    {"host unreachable",      OUTER4("0038") "0301 0000 00000000" QUOTE4("4000") EIGHT_OCTETS, 3, 1, 0, DISSECT_ICMP_ERROR},
    {"fragmentation needed",  OUTER4("0038") "0304 0000 00000514" QUOTE4("4000") EIGHT_OCTETS, 3, 4, 1300, DISSECT_ICMP_ERROR},
    {"MTU of another code",   OUTER4("0038") "0303 0000 00000514" QUOTE4("4000") EIGHT_OCTETS, 3, 3, 0, DISSECT_ICMP_ERROR},
    {"with its checksum",     OUTER4("0038") "0301 d3bb 00000000" QUOTE4("4000") EIGHT_OCTETS, 3, 1, 0, DISSECT_ICMP_ERROR},
    {"with a wrong one",      OUTER4("0038") "0301 d3ba 00000000" QUOTE4("4000") EIGHT_OCTETS, 0, 0, 0, DISSECT_ICMP_DAMAGED},
    {"source quench",         OUTER4("0038") "0400 0000 00000000" QUOTE4("4000") EIGHT_OCTETS, 4, 0, 0, DISSECT_ICMP_ERROR},
    {"redirect",              OUTER4("0038") "0501 0000 0a090908" QUOTE4("4000") EIGHT_OCTETS, 5, 1, 0, DISSECT_ICMP_ERROR},
    {"time exceeded",         OUTER4("0038") "0b00 0000 00000000" QUOTE4("4000") EIGHT_OCTETS, 11, 0, 0, DISSECT_ICMP_ERROR},
    {"parameter problem",     OUTER4("0038") "0c00 0000 14000000" QUOTE4("4000") EIGHT_OCTETS, 12, 0, 0, DISSECT_ICMP_ERROR},
    {"whole header quoted",   OUTER4("0044") "0301 0000 00000000" QUOTE4("4000") TCP_PLAIN, 3, 1, 0, DISSECT_ICMP_ERROR},
    {"IP options quoted",     OUTER4("003c") "0301 0000 00000000" "4600 0400 0000 4000 40 06 0000" IP4_ADDRESSES "01010100" EIGHT_OCTETS, 3, 1, 0, DISSECT_ICMP_ERROR},
    {"a first fragment",      OUTER4("0038") "0b00 0000 00000000" QUOTE4("2000") EIGHT_OCTETS, 11, 0, 0, DISSECT_ICMP_ERROR},
    {"GRE quoted",            OUTER4("0050") "0304 0000 00000578" "4500 0400 0000 4000 40 2f 0000 c0000201 c0000202" "0000 0800" QUOTE4("4000") EIGHT_OCTETS, 3, 4, 1400, DISSECT_ICMP_ERROR},
    {"in GRE",                "4500 0050 0000 0000 40 2f 0000 c0000201 c0000202" "0000 0800" OUTER4("0038") "0301 0000 00000000" QUOTE4("4000") EIGHT_OCTETS, 3, 1, 0, DISSECT_ICMP_ERROR},
    {"RFC 4884 extensions",   OUTER4("0044") "0301 0000 00200000" QUOTE4("4000") EIGHT_OCTETS "2000 0000 00080101 00010140", 3, 1, 0, DISSECT_ICMP_ERROR},

    {"a later fragment",      OUTER4("0038") "0b01 0000 00000000" QUOTE4("0010") EIGHT_OCTETS, 0, 0, 0, DISSECT_NOT_TCP},
    {"seven octets",          OUTER4("0037") "0301 0000 00000000" QUOTE4("4000") "03e9 03ea 112233", 0, 0, 0, DISSECT_NOT_TCP},
    {"UDP quoted",            OUTER4("0038") "0303 0000 00000000" "4500 0400 0000 4000 40 11 0000" IP4_ADDRESSES EIGHT_OCTETS, 0, 0, 0, DISSECT_NOT_TCP},
    {"an error quoted",       OUTER4("0054") "0301 0000 00000000" OUTER4("0038") "0301 0000 00000000" QUOTE4("4000") EIGHT_OCTETS, 0, 0, 0, DISSECT_NOT_TCP},
    {"nothing quoted",        OUTER4("001c") "0301 0000 00000000", 0, 0, 0, DISSECT_NOT_TCP},
    {"half a header",         OUTER4("0018") "0301 0000", 0, 0, 0, DISSECT_NOT_TCP},
    {"half an IP header",     OUTER4("0026") "0301 0000 00000000 4500 0400 0000 4000 40 06", 0, 0, 0, DISSECT_NOT_TCP},
    {"another version",       OUTER4("0038") "0301 0000 00000000" "6500 0400 0000 4000 40 06 0000" IP4_ADDRESSES EIGHT_OCTETS, 0, 0, 0, DISSECT_NOT_TCP},
    {"echo",                  OUTER4("0038") "0800 0000 00000000" QUOTE4("4000") EIGHT_OCTETS, 0, 0, 0, DISSECT_NOT_TCP},
    {"ICMPv6 under IPv4",     "4500 0038 0000 0000 40 3a 0000" ROUTER4 "0100 0000 00000000" QUOTE4("4000") EIGHT_OCTETS, 0, 0, 0, DISSECT_NOT_TCP},

    {"v6, no route",          OUTER6("0038") "0100 0000 00000000" QUOTE6("06") EIGHT_OCTETS, 1, 0, 0, DISSECT_ICMP_ERROR},
    {"v6, with its checksum", OUTER6("0038") "0100 9122 00000000" QUOTE6("06") EIGHT_OCTETS, 1, 0, 0, DISSECT_ICMP_ERROR},
    {"v6, with a wrong one",  OUTER6("0038") "0100 1111 00000000" QUOTE6("06") EIGHT_OCTETS, 0, 0, 0, DISSECT_ICMP_DAMAGED},
    {"v6, too big",           OUTER6("0038") "0200 0000 00010500" QUOTE6("06") EIGHT_OCTETS, 2, 0, 66816, DISSECT_ICMP_ERROR},
    {"v6, hop limit",         OUTER6("0038") "0300 0000 00000000" QUOTE6("06") EIGHT_OCTETS, 3, 0, 0, DISSECT_ICMP_ERROR},
    {"v6, parameter problem", OUTER6("0038") "0401 0000 00000028" QUOTE6("06") EIGHT_OCTETS, 4, 1, 0, DISSECT_ICMP_ERROR},
    {"v6, options quoted",    OUTER6("0040") "0104 0000 00000000" QUOTE6("3c") "06 00 0104 00000000" EIGHT_OCTETS, 1, 4, 0, DISSECT_ICMP_ERROR},
    {"v6, a first fragment",  OUTER6("0040") "0301 0000 00000000" QUOTE6("2c") "06 00 0001 00000001" EIGHT_OCTETS, 3, 1, 0, DISSECT_ICMP_ERROR},
    {"v6, behind options",    "60000000 0040 00 40" ROUTER6 IP6_SOURCE "3a 00 0104 00000000" "0100 0000 00000000" QUOTE6("06") EIGHT_OCTETS, 1, 0, 0, DISSECT_ICMP_ERROR},
    {"v6, a later fragment",  OUTER6("0040") "0301 0000 00000000" QUOTE6("2c") "06 00 0101 00000001" EIGHT_OCTETS, 0, 0, 0, DISSECT_NOT_TCP},
    {"v6, encrypted",         OUTER6("0038") "0100 0000 00000000" QUOTE6("32") EIGHT_OCTETS, 0, 0, 0, DISSECT_NOT_TCP},
    {"v6, echo",              OUTER6("0038") "8000 0000 00000000" QUOTE6("06") EIGHT_OCTETS, 0, 0, 0, DISSECT_NOT_TCP},
    {"v6, type 5",            OUTER6("0038") "0500 0000 00000000" QUOTE6("06") EIGHT_OCTETS, 0, 0, 0, DISSECT_NOT_TCP},
};
/* clang-format on */

static enum dissect_result error_read(const struct bytes *bytes, uint32_t captured,
                                      struct segment *ret_quoted, struct icmp_error *ret_error)
{
    uint8_t *exact = malloc(captured > 0 ? captured : 1);
    assert_non_null(exact);
    memcpy(exact, bytes->data, captured);
    struct frame frame = {exact, captured, bytes->length, RAW, 0};
    enum dissect_result result = dissect_icmp_error(&frame, ret_quoted, ret_error);
    free(exact);
    return result;
}

static void errors_are_read_and_all_else_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        const struct shape *shape = &shapes[i];
        struct bytes bytes = bytes_of(shape->hex);
        struct segment segment, quoted;
        struct icmp_error error;
        enum dissect_result result = whole_read(&bytes, RAW, &segment);
        if (result != shape->result)
            fail_msg("%s: %s", shape->name, dissect_result_name(result));
        assert_result(error_read(&bytes, bytes.length, &quoted, &error), shape->result);
        if (shape->result != DISSECT_ICMP_ERROR)
            continue;
        bool is4 = error.ip_version == 4;
        assert_int_equal(error.type, shape->type);
        assert_int_equal(error.code, shape->code);
        assert_int_equal(error.mtu, shape->mtu);
        assert_address(error.from, is4 ? "0a090909" : ROUTER6);
        assert_address(quoted.source, is4 ? "0a000001" : IP6_SOURCE);
        assert_address(quoted.destination, is4 ? "0a000002" : IP6_TARGET);
        assert_int_equal(quoted.ip_version, error.ip_version);
        assert_int_equal(quoted.source_port, 1001);
        assert_int_equal(quoted.destination_port, 1002);
        assert_int_equal(quoted.sequence, 0x11223344);
    }
}

/* Wherever the capture ends: not a segment, and no error before the sequence number is there. */
static void an_error_can_be_cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct bytes bytes = bytes_of(shapes[i].hex);
        bool found = false;
        for (uint32_t captured = 0; captured <= bytes.length; captured++) {
            struct segment quoted;
            struct icmp_error error;
            enum dissect_result result = error_read(&bytes, captured, &quoted, &error);
            assert_int_not_equal(result, DISSECT_SEGMENT);
            assert_true(!found || result == DISSECT_ICMP_ERROR);
            found = result == DISSECT_ICMP_ERROR;
        }
        assert_int_equal(found, shapes[i].result == DISSECT_ICMP_ERROR);
    }
}

/* ---- errors and connections */

struct witness {
    struct sink sink;
    struct flow_record flow[4];
    uint32_t flows;
    struct run_summary summary;
};

static enum status keep_flow(struct sink *sink, const struct flow_record *flow)
{
    struct witness *witness = (struct witness *)sink;
    assert_true(witness->flows < ARRAY_LEN(witness->flow));
    witness->flow[witness->flows++] = *flow;
    return STATUS_OK;
}

static enum status keep_summary(struct sink *sink, const struct run_summary *summary)
{
    ((struct witness *)sink)->summary = *summary;
    return STATUS_OK;
}

static const struct sink_ops witness_ops = {.flow = keep_flow, .finish = keep_summary};

/* A packet of a test: `at` ms; RAW octets. */
struct step {
    int64_t at;
    struct bytes bytes;
};

static struct bytes segment_of(bool from_client, uint32_t sequence, uint32_t acknowledgment,
                               const char *flags, uint32_t payload)
{
    struct bytes bytes = {.length = 0};
    char hex[96];
    bytes_put(&bytes, "4500 0000 0000 4000 40 06 0000");
    bytes_put(&bytes, from_client ? "0a000001 0a000002 03e9 03ea" : "0a000002 0a000001 03ea 03e9");
    snprintf(hex, sizeof hex, "%08x%08x50%s01000000 0000", sequence, acknowledgment, flags);
    bytes_put(&bytes, hex);
    bytes_fill(&bytes, payload);
    ip4_close(&bytes, 0);
    return bytes;
}

/* A host unreachable about the client's, or the server's, segment. */
static struct bytes error_of(bool of_client, uint32_t sequence, const char *type_and_code)
{
    struct bytes bytes = {.length = 0};
    char hex[16];
    bytes_put(&bytes, OUTER4("0038"));
    bytes_put(&bytes, type_and_code);
    bytes_put(&bytes, "0000 00000514 4500 0400 0000 4000 40 06 0000");
    bytes_put(&bytes, of_client ? "0a000001 0a000002 03e9 03ea" : "0a000002 0a000001 03ea 03e9");
    snprintf(hex, sizeof hex, "%08x", sequence);
    bytes_put(&bytes, hex);
    return bytes;
}

static void analyse(const struct step *steps, size_t count, uint32_t threads,
                    struct witness *ret_witness)
{
    memset(ret_witness, 0, sizeof *ret_witness);
    ret_witness->sink.ops = &witness_ops;
    struct analyzer_options options = {.config = config_default(), .sink = &ret_witness->sink};
    options.config.threads = threads;
    struct analyzer *analyzer;
    assert_int_equal(analyzer_new(&options, &analyzer), STATUS_OK);
    for (size_t i = 0; i < count; i++) {
        const struct bytes *bytes = &steps[i].bytes;
        struct analyzer_packet packet = {bytes->data,
                                         bytes->length,
                                         bytes->length,
                                         (nanotime)steps[i].at * NANO_PER_MILLI,
                                         RAW,
                                         0,
                                         0,
                                         0,
                                         0};
        assert_int_equal(analyzer_packet(analyzer, &packet), STATUS_OK);
    }
    struct analyzer_inputs inputs = {.count = 0};
    assert_int_equal(analyzer_finish(analyzer, &inputs), STATUS_OK);
    analyzer_free(analyzer);
}

static uint64_t skipped(const struct witness *witness, const char *name)
{
    for (uint32_t i = 0; i < witness->summary.skipped_count; i++) {
        if (strcmp(witness->summary.skipped[i].name, name) == 0)
            return witness->summary.skipped[i].count;
    }
    return 0;
}

static void assert_all_counted(const struct witness *witness)
{
    uint64_t sum = witness->summary.segments + witness->summary.copies;
    for (uint32_t i = 0; i < witness->summary.skipped_count; i++)
        sum += witness->summary.skipped[i].count;
    assert_int_equal(sum, witness->summary.packets);
}

/* Client's ISN 1000, server's 5000; 100 octets of the client, 50 of the server, all acknowledged.
 */
static size_t begin_connection(struct step *steps)
{
    size_t n = 0;
    steps[n++] = (struct step){0, segment_of(true, 1000, 0, "02", 0)};
    steps[n++] = (struct step){10, segment_of(false, 5000, 1001, "12", 0)};
    steps[n++] = (struct step){11, segment_of(true, 1001, 5001, "10", 0)};
    steps[n++] = (struct step){12, segment_of(true, 1001, 5001, "18", 100)};
    steps[n++] = (struct step){22, segment_of(false, 5001, 1101, "18", 50)};
    steps[n++] = (struct step){23, segment_of(true, 1101, 5051, "10", 0)};
    return n;
}

static void an_error_is_of_the_connection_that_sent_what_it_quotes(void **state)
{
    (void)state;
    struct step steps[16];
    size_t n = begin_connection(steps);
    steps[n++] = (struct step){30, error_of(true, 1001, "0b00")};
    steps[n++] = (struct step){40, error_of(false, 5001, "0304")};
    steps[n++] = (struct step){50, error_of(true, 1101, "0301")}; /* a pure ACK */
    for (uint32_t threads = 1; threads <= 3; threads++) {
        struct witness witness;
        analyse(steps, n, threads, &witness);
        assert_int_equal(witness.flows, 1);
        const struct flow_record *flow = &witness.flow[0];
        assert_int_equal(flow->icmp_errors, 3);
        assert_int_equal(flow->icmp_last.packet, 9);
        assert_int_equal(flow->icmp_last.t, 50 * NANO_PER_MILLI);
        assert_int_equal(flow->icmp_last.type, 3);
        assert_int_equal(flow->icmp_last.code, 1);
        assert_int_equal(flow->icmp_last.quoted, CLIENT);
        assert_address(flow->icmp_last.from, "0a090909");
        assert_int_equal(flow->who.end[CLIENT].packets + flow->who.end[SERVER].packets, 6);
        assert_int_equal(flow->end, 23 * NANO_PER_MILLI);
        assert_int_equal(skipped(&witness, "icmp_error"), 3);
        assert_all_counted(&witness);
    }
}

static void an_error_about_what_was_not_sent_is_nobodys(void **state)
{
    (void)state;
    struct step steps[16];
    size_t n = begin_connection(steps);
    struct bytes other = error_of(true, 1001, "0301");
    other.data[48] ^= 1; /* another port */
    steps[n++] = (struct step){30, error_of(true, 1102, "0301")};
    steps[n++] = (struct step){31, error_of(true, 999, "0301")};
    steps[n++] = (struct step){32, error_of(false, 4999, "0301")};
    steps[n++] = (struct step){33, error_of(false, 900000000, "0301")};
    steps[n++] = (struct step){34, other};
    struct witness witness;
    analyse(steps, n, 1, &witness);
    assert_int_equal(witness.flows, 1);
    assert_int_equal(witness.flow[0].icmp_errors, 0);
    assert_int_equal(skipped(&witness, "icmp_error"), 0);
    assert_int_equal(skipped(&witness, "icmp_error_unmatched"), 5);
    assert_all_counted(&witness);
}

/* A lone SYN is kept small; an error about it must find it all the same, and only about it. */
static void a_lone_syn_is_found(void **state)
{
    (void)state;
    struct step steps[] = {{0, segment_of(true, 1000, 0, "02", 0)},
                           {5, error_of(true, 1001, "0301")},
                           {6, error_of(false, 1000, "0301")},
                           {7, error_of(true, 1000, "0301")}};
    struct witness witness;
    analyse(steps, ARRAY_LEN(steps), 1, &witness);
    assert_int_equal(witness.flows, 1);
    assert_int_equal(witness.flow[0].icmp_errors, 1);
    assert_int_equal(witness.flow[0].icmp_last.packet, 4);
    assert_int_equal(witness.flow[0].close_kind, CLOSE_UNANSWERED);
    assert_int_equal(skipped(&witness, "icmp_error_unmatched"), 2);
    assert_all_counted(&witness);
}

/* Closed and in TIME_WAIT a connection is packed away; one that a second connection followed is
 * still told from it by the numbers. */
static void a_closed_connection_is_found(void **state)
{
    (void)state;
    struct step steps[16];
    size_t n = begin_connection(steps);
    steps[n++] = (struct step){30, segment_of(true, 1101, 5051, "11", 0)};
    steps[n++] = (struct step){40, segment_of(false, 5051, 1102, "11", 0)};
    steps[n++] = (struct step){41, segment_of(true, 1102, 5052, "10", 0)};
    steps[n++] = (struct step){60, error_of(true, 1102, "0b00")};
    steps[n++] = (struct step){61, error_of(true, 77777, "0b00")};
    struct witness witness;
    analyse(steps, n, 1, &witness);
    assert_int_equal(witness.flows, 1);
    assert_int_equal(witness.flow[0].close_kind, CLOSE_ORDERLY);
    assert_int_equal(witness.flow[0].icmp_errors, 1);
    assert_int_equal(skipped(&witness, "icmp_error_unmatched"), 1);
    assert_all_counted(&witness);
}

static void an_error_captured_twice_is_one(void **state)
{
    (void)state;
    struct step steps[16];
    size_t n = begin_connection(steps);
    steps[n++] = (struct step){30, error_of(true, 1001, "0b00")};
    steps[n++] = (struct step){31, error_of(true, 1001, "0b00")};
    steps[n++] = (struct step){90, error_of(true, 1001, "0b00")};
    struct witness witness;
    analyse(steps, n, 1, &witness);
    assert_int_equal(witness.flow[0].icmp_errors, 2);
    assert_int_equal(skipped(&witness, "icmp_error_copy"), 1);
    assert_int_equal(skipped(&witness, "icmp_error"), 2);
    assert_all_counted(&witness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_read_and_all_else_is_left),
        cmocka_unit_test(an_error_can_be_cut_anywhere),
        cmocka_unit_test(an_error_is_of_the_connection_that_sent_what_it_quotes),
        cmocka_unit_test(an_error_about_what_was_not_sent_is_nobodys),
        cmocka_unit_test(a_lone_syn_is_found),
        cmocka_unit_test(a_closed_connection_is_found),
        cmocka_unit_test(an_error_captured_twice_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
