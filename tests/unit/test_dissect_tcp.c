/*
 * dissect from the TCP header on: its fields, options of every kind and misfortune, the verdict on
 * the checksum, and the fingerprint of the payload.
 */
#include "frames.h"

/* Two frames as Linux sent them, Ethernet and all, with checksums that Linux computed. */
#define SENT4                                                                                      \
    "020000000002 020000000001 0800 4500004600d240004006 2544 0a4d00010a4d0002 9c761b8e880323dc"   \
    "35e81ad68018003ffa6500000101080a4d5ff07c4b564aed 474554202f20485454502f312e300d0a0d0a"
#define SENT6                                                                                      \
    "020000000002 020000000001 86dd 600d724600320640 fd000000000000000000000000000001"             \
    "fd000000000000000000000000000002 9c7d1b95bbd2ec4197e642f980180040c18900000101080a385f1121"    \
    "82b3d4fa 474554202f20485454502f312e300d0a0d0a"

static void real_frames_read_as_they_were_sent(void **state)
{
    (void)state;
    struct segment segment;
    struct bytes bytes = bytes_of(SENT4);
    assert_result(whole_read(&bytes, ETHERNET, &segment), DISSECT_SEGMENT);
    assert_address(segment.source, "0a4d0001");
    assert_address(segment.destination, "0a4d0002");
    assert_int_equal(segment.source_port, 40054);
    assert_int_equal(segment.destination_port, 7054);
    assert_int_equal(segment.sequence, 2281907164);
    assert_int_equal(segment.acknowledgment, 904403670);
    assert_int_equal(segment.flags, TCP_PSH | TCP_ACK);
    assert_int_equal(segment.window, 63);
    assert_int_equal(segment.payload, 18);
    assert_int_equal(segment.ttl, 64);
    assert_int_equal(segment.ip_id, 210);
    assert_int_equal(segment.ip_length, 70);
    assert_int_equal(segment.checksum, 64101);
    assert_int_equal(segment.options, OPTION_TIMESTAMPS);
    assert_int_equal(segment.tsval, 1298133116);
    assert_int_equal(segment.tsecr, 1263946477);
    assert_int_equal(segment.checksum_verdict, CHECKSUM_GOOD);

    bytes = bytes_of(SENT6);
    assert_result(whole_read(&bytes, ETHERNET, &segment), DISSECT_SEGMENT);
    assert_address(segment.source, "fd000000000000000000000000000001");
    assert_int_equal(segment.ip_length, 90);
    assert_int_equal(segment.ip_id, 0);
    assert_int_equal(segment.tsecr, 2192823546);
    assert_int_equal(segment.checksum_verdict, CHECKSUM_GOOD);
}

static void every_flag_is_told_from_the_others(void **state)
{
    (void)state;
    for (int bit = 0; bit < 8; bit++) {
        struct segment segment;
        struct bytes bytes = packet4(TCP_PLAIN, 0);
        bytes.data[20 + 12] |= 0x0f; /* the reserved bits mean nothing here */
        bytes.data[20 + 13] = (uint8_t)(1 << bit);
        assert_result(whole_read(&bytes, RAW, &segment), DISSECT_SEGMENT);
        assert_int_equal(segment.flags, 1 << bit);
    }
}

struct option_case {
    const char *what;
    const char *options; /* a multiple of four octets */
    int bits;
    uint16_t mss;
    uint8_t window_scale;
    uint32_t tsval, tsecr;
    int sacks;
    struct sack_block first;
};

#define TEN "00000000000000000000"

/* clang-format off */
static const struct option_case options[] = {
    {"none",               "", 0, 0, 0, 0, 0, 0, {0, 0}},
    {"end",                "00ffffff", 0, 0, 0, 0, 0, 0, {0, 0}},
    {"no-operations",      "01010101", 0, 0, 0, 0, 0, 0, {0, 0}},
    {"MSS",                "020405b4", OPTION_MSS, 1460, 0, 0, 0, 0, {0, 0}},
    {"MSS of zero",        "02040000", OPTION_MSS, 0, 0, 0, 0, 0, {0, 0}},
    {"MSS, last counts",   "020405b4 02040218", OPTION_MSS, 536, 0, 0, 0, 0, {0, 0}},
    {"MSS, too short",     "02030501", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
    {"MSS, too long",      "0205050101000000", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
    {"MSS, wrong, then on", "02030501 03030801", OPTION_MALFORMED | OPTION_WINDOW_SCALE, 0, 8, 0, 0, 0, {0, 0}},
    {"window scale",       "0303ff01", OPTION_WINDOW_SCALE, 0, 255, 0, 0, 0, {0, 0}},
    {"scale, too long",    "0304ff01", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
    {"SACK permitted",     "04020101", OPTION_SACK_PERMITTED, 0, 0, 0, 0, 0, {0, 0}},
    {"SACK permitted, too long", "04030001", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
    {"timestamps",         "0101080a ffffffff 00000007", OPTION_TIMESTAMPS, 0, 0, UINT32_MAX, 7, 0, {0, 0}},
    {"timestamps, wrong",  "01010809 00000001 000000 01", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
    {"timestamps, too long", "01080b00 00000100 00000000", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
    {"all of a SYN",       "020405b4 0402080a 00000001 00000000 01030307",
                           OPTION_MSS | OPTION_SACK_PERMITTED | OPTION_TIMESTAMPS | OPTION_WINDOW_SCALE, 1460, 7, 1, 0, 0, {0, 0}},
    {"one SACK block",     "0101050a 00000005 00000009", OPTION_SACK, 0, 0, 0, 0, 1, {5, 9}},
    {"three and a stamp",  "0101080a 00000001 00000002 0101051a fffffff0 00000010 00000003 00000004 00000005 00000006",
                           OPTION_SACK | OPTION_TIMESTAMPS, 0, 0, 1, 2, 3, {0xfffffff0, 0x10}},
    {"four SACK blocks",   "01010522 00000001 00000002 00000003 00000004 00000005 00000006 00000007 00000008",
                           OPTION_SACK, 0, 0, 0, 0, 4, {1, 2}},
    {"SACK without block", "05020101", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
    {"SACK, half a block", "01010506 00000005", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
    {"SACK, one and a half", "0101050e 00000005 00000009 0000000a", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
    {"Fast Open request",  "22020101", OPTION_FAST_OPEN, 0, 0, 0, 0, 0, {0, 0}},
    {"Fast Open cookie",   "0101220a 0102030405060708", OPTION_FAST_OPEN, 0, 0, 0, 0, 0, {0, 0}},
    {"Fast Open, odd",     "22070102 03040501", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
    {"Fast Open, tiny",    "22040102", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
    {"Fast Open, least cookie", "22060102 03040101", OPTION_FAST_OPEN, 0, 0, 0, 0, 0, {0, 0}},
    {"Fast Open, experiment", "fe04f989", OPTION_FAST_OPEN, 0, 0, 0, 0, 0, {0, 0}},
    {"Fast Open, first experiment", "fd08f989 01020304", OPTION_FAST_OPEN, 0, 0, 0, 0, 0, {0, 0}},
    {"another experiment", "fe040001", OPTION_UNKNOWN, 0, 0, 0, 0, 0, {0, 0}},
    {"MPTCP",              "1e0c0081 0102030405060708", OPTION_MPTCP, 0, 0, 0, 0, 0, {0, 0}},
    {"MPTCP, too short",   "1e020101", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
    {"MPTCP, shortest",    "1e035001", OPTION_MPTCP, 0, 0, 0, 0, 0, {0, 0}},
    {"MD5",                "0101 1312 00000000 00000000 00000000 00000000", OPTION_MD5, 0, 0, 0, 0, 0, {0, 0}},
    {"MD5, too short",     "0101 1306 00000000", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
    {"MD5, too long",      "01 1313 00" "00000000 00000000 00000000 00000000", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
    {"AO",                 "1d10 0101" TEN "0000", OPTION_AO, 0, 0, 0, 0, 0, {0, 0}},
    {"AO, too short",      "1d030001", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
    {"AO, shortest",       "1d040101", OPTION_AO, 0, 0, 0, 0, 0, {0, 0}},
    {"first without a row", "23040000", OPTION_UNKNOWN, 0, 0, 0, 0, 0, {0, 0}},
    {"unknown",            "4c04abcd", OPTION_UNKNOWN, 0, 0, 0, 0, 0, {0, 0}},
    {"unknown and known",  "ff02 0101 020405b4", OPTION_UNKNOWN | OPTION_MSS, 1460, 0, 0, 0, 0, {0, 0}},
    {"length 0",           "08000000 020405b4", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
    {"length 1",           "020405b4 4c010101", OPTION_MSS | OPTION_MALFORMED, 1460, 0, 0, 0, 0, {0, 0}},
    {"past the header",    "01010104 020405b4 4c09 0000", OPTION_MALFORMED | OPTION_SACK_PERMITTED, 0, 0, 0, 0, 0, {0, 0}},
    {"no room for length", "01010102", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
    {"past by one",        "01010203", OPTION_MALFORMED, 0, 0, 0, 0, 0, {0, 0}},
};
/* clang-format on */

/* A raw IPv4 packet with these options and a payload. */
static struct bytes optioned(const char *hex, uint32_t payload)
{
    struct bytes list = bytes_of(hex);
    struct bytes bytes = packet4(TCP_PLAIN, 0);
    assert_int_equal(list.length % 4, 0);
    bytes.data[20 + 12] = (uint8_t)((20 + list.length) / 4 << 4);
    memcpy(bytes.data + bytes.length, list.data, list.length);
    bytes.length += list.length;
    bytes_fill(&bytes, payload);
    ip4_close(&bytes, 0);
    return bytes;
}

static void every_option_is_read_or_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        const struct option_case *option = &options[i];
        struct segment segment;
        struct bytes bytes = optioned(option->options, 11);
        print_message("    %s\n", option->what);
        assert_result(whole_read(&bytes, RAW, &segment), DISSECT_SEGMENT);
        assert_int_equal(segment.options, option->bits);
        assert_int_equal(segment.mss, option->mss);
        assert_int_equal(segment.window_scale, option->window_scale);
        assert_int_equal(segment.tsval, option->tsval);
        assert_int_equal(segment.tsecr, option->tsecr);
        assert_int_equal(segment.sacks, option->sacks);
        assert_int_equal(segment.sack[0].left, option->first.left);
        assert_int_equal(segment.sack[0].right, option->first.right);
        assert_int_equal(segment.payload, 11);
    }
}

static void sack_blocks_keep_their_order(void **state)
{
    (void)state;
    struct segment segment;
    struct bytes bytes = optioned("01010522 00000001 00000002 00000003 00000004 00000005 00000006"
                                  "00000007 00000008",
                                  0);
    assert_result(whole_read(&bytes, RAW, &segment), DISSECT_SEGMENT);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(segment.sack[i].left, 2 * i + 1);
        assert_int_equal(segment.sack[i].right, 2 * i + 2);
    }
}

/* MSS, SACK permitted, timestamps, a no-operation, window scale: cut after each octet. */
static void options_cut_short_are_unknown_and_not_wrong(void **state)
{
    (void)state;
    struct bytes bytes = optioned("020405b4 0402080a 00000001 00000000 01030307", 50);
    for (uint32_t captured = 40; captured <= bytes.length; captured++) {
        struct segment segment;
        uint32_t there = captured - 40;
        int expected = (there >= 4 ? OPTION_MSS : 0) | (there >= 6 ? OPTION_SACK_PERMITTED : 0) |
                       (there >= 16 ? OPTION_TIMESTAMPS : 0) |
                       (there >= 20 ? OPTION_WINDOW_SCALE : OPTION_CUT);
        assert_result(frame_read(&bytes, captured, bytes.length, RAW, &segment), DISSECT_SEGMENT);
        assert_int_equal(segment.options, expected);
        assert_int_equal(segment.payload, 50);
        assert_int_equal(segment.payload_hashed, there < 20 ? 0 : there - 20);
    }
}

/* What is captured can prove an option wrong even when the rest is not there. */
static void options_cut_short_can_still_be_wrong(void **state)
{
    (void)state;
    struct segment segment;
    struct bytes bytes = optioned("01010105 22000000", 0);
    assert_result(frame_read(&bytes, 44, bytes.length, RAW, &segment), DISSECT_SEGMENT);
    assert_int_equal(segment.options, OPTION_CUT);
    assert_result(frame_read(&bytes, 45, bytes.length, RAW, &segment), DISSECT_SEGMENT);
    assert_int_equal(segment.options, OPTION_MALFORMED);
    bytes = optioned("01010402", 0);
    assert_result(frame_read(&bytes, 43, bytes.length, RAW, &segment), DISSECT_SEGMENT);
    assert_int_equal(segment.options, OPTION_CUT);
}

/* RFC 1071 as it is written, two octets at a time; not the way of the code under test. */
static uint32_t sum_plainly(const uint8_t *data, uint32_t octets, uint32_t sum)
{
    for (uint32_t i = 0; i < octets; i++)
        sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
    while (sum > 0xffff)
        sum = (sum >> 16) + (sum & 0xffff);
    return sum;
}

/* The sum of the pseudo-header of a raw packet with a TCP segment of so many octets. */
static uint32_t pseudo_plainly(const struct bytes *bytes, uint32_t octets)
{
    bool version4 = bytes->data[0] >> 4 == 4;
    const uint8_t *addresses = bytes->data + (version4 ? 12 : 8);
    return sum_plainly(addresses, version4 ? 8 : 32, 6 + octets);
}

static enum checksum_verdict verdict_of(const struct bytes *bytes)
{
    struct segment segment;
    assert_result(whole_read(bytes, RAW, &segment), DISSECT_SEGMENT);
    return (enum checksum_verdict)segment.checksum_verdict;
}

static void checksums_of(struct bytes bytes, uint32_t header)
{
    uint32_t octets = bytes.length - header;
    uint32_t pseudo = pseudo_plainly(&bytes, octets);
    uint32_t good = ~sum_plainly(bytes.data + header, octets, pseudo) & 0xffff;

    bytes_set16(&bytes, header + 16, good);
    assert_int_equal(verdict_of(&bytes), CHECKSUM_GOOD);
    bytes_set16(&bytes, header + 16, pseudo);
    assert_int_equal(verdict_of(&bytes), CHECKSUM_PARTIAL);
    bytes_set16(&bytes, header + 16, good ^ 0x0100);
    assert_int_equal(verdict_of(&bytes), CHECKSUM_BAD);
    bytes_set16(&bytes, header + 16, good);
    for (uint32_t i = header; i < bytes.length; i++) {
        if (i == header + 12) /* the data offset moves the payload, not the sum */
            continue;
        bytes.data[i] ^= 0x40;
        assert_int_equal(verdict_of(&bytes), CHECKSUM_BAD);
        bytes.data[i] ^= 0x40;
    }
}

static void checksums_are_judged_at_every_length(void **state)
{
    (void)state;
    for (uint32_t payload = 0; payload < 40; payload++) {
        checksums_of(packet4(TCP_PLAIN, payload), 20);
        checksums_of(packet6(TCP_PLAIN, payload), 40);
    }
    for (uint32_t payload = 90; payload < 180; payload++) /* from few words to blocks of vectors */
        checksums_of(packet4(TCP_PLAIN, payload), 20);
    checksums_of(packet4(TCP_PLAIN, 1460), 20);
}

/* Words of all ones carry at every addition: a sum that loses one is off. */
static void carries_are_not_lost(void **state)
{
    (void)state;
    for (uint32_t payload = 1000; payload < 1032; payload++) {
        struct bytes bytes = packet4(TCP_PLAIN, payload);
        memset(bytes.data + 40, 0xff, payload);
        uint32_t pseudo = pseudo_plainly(&bytes, 20 + payload);
        bytes_set16(&bytes, 36, ~sum_plainly(bytes.data + 20, 20 + payload, pseudo) & 0xffff);
        assert_int_equal(verdict_of(&bytes), CHECKSUM_GOOD);
    }
}

/* Merged on receipt or not yet cut up: more than 65535 octets, so the length is no 16-bit word. */
static void big_segments_are_judged(void **state)
{
    (void)state;
    enum { BIG = 70000 };
    struct bytes header = packet4(TCP_PLAIN, 0);
    uint8_t *data = calloc(1, BIG);
    assert_non_null(data);
    bytes_set16(&header, 2, 0);
    uint32_t pseudo = pseudo_plainly(&header, BIG - 20);
    bytes_set16(&header, 36, ~sum_plainly(header.data + 20, 20, pseudo) & 0xffff);
    memcpy(data, header.data, header.length);
    struct frame frame = {data, BIG, BIG, RAW, 0};
    struct segment segment;
    assert_result(dissect(&frame, &segment), DISSECT_SEGMENT);
    assert_int_equal(segment.payload, BIG - 40);
    assert_int_equal(segment.checksum_verdict, CHECKSUM_GOOD);
    free(data);
}

static void a_cut_segment_is_not_judged(void **state)
{
    (void)state;
    struct segment segment;
    struct bytes bytes = bytes_of(SENT4);
    for (uint32_t captured = 54; captured < bytes.length; captured++) {
        assert_result(frame_read(&bytes, captured, bytes.length, ETHERNET, &segment),
                      DISSECT_SEGMENT);
        assert_int_equal(segment.checksum_verdict, CHECKSUM_UNVERIFIED);
    }
}

/* The final destination is in the sum: known from a source route, unknown from a strange one. */
static void a_route_is_part_of_the_checksum(void **state)
{
    (void)state;
    struct bytes sent = bytes_of(SENT6);
    struct bytes bytes = bytes_of("60000000 004a 2b 40");
    bytes_put(&bytes, "fd000000000000000000000000000001 fd0000000000000000000000000000ff");
    bytes_put(&bytes, "06 02 00 01 00000000 fd000000000000000000000000000002");
    memcpy(bytes.data + bytes.length, sent.data + 54, 50);
    bytes.length += 50;
    assert_int_equal(verdict_of(&bytes), CHECKSUM_GOOD);
    bytes.data[42] = 9;
    assert_int_equal(verdict_of(&bytes), CHECKSUM_UNVERIFIED);
    bytes.data[43] = 0;
    assert_int_equal(verdict_of(&bytes), CHECKSUM_BAD);
}

static uint32_t fingerprint_of(const struct bytes *bytes, int expected_octets)
{
    struct segment segment;
    assert_result(whole_read(bytes, RAW, &segment), DISSECT_SEGMENT);
    assert_int_equal(segment.payload_hashed, expected_octets);
    assert_true((segment.payload_hash != 0) == (expected_octets != 0));
    return segment.payload_hash;
}

static void payloads_are_told_apart_by_their_first_octets(void **state)
{
    (void)state;
    for (uint32_t payload = 0; payload < 140; payload++) {
        struct bytes bytes = packet4(TCP_PLAIN, payload);
        int covered = payload < 128 ? (int)payload : 128;
        uint32_t fingerprint = fingerprint_of(&bytes, covered);
        assert_int_equal(fingerprint_of(&bytes, covered), fingerprint);
        for (uint32_t i = 0; i < payload; i++) {
            bytes.data[40 + i] ^= 1;
            assert_true((fingerprint_of(&bytes, covered) != fingerprint) == (i < 128));
            bytes.data[40 + i] ^= 1;
        }
    }
}

/* Zeros alone, of each length: the length must count, and a fingerprint must never be 0. */
static void payloads_of_zeros_differ_by_their_length(void **state)
{
    (void)state;
    uint32_t fingerprints[129] = {0};
    for (uint32_t payload = 1; payload <= 128; payload++) {
        struct bytes bytes = packet4(TCP_PLAIN, payload);
        memset(bytes.data + 40, 0, payload);
        fingerprints[payload] = fingerprint_of(&bytes, (int)payload);
        for (uint32_t other = 1; other < payload; other++)
            assert_int_not_equal(fingerprints[payload], fingerprints[other]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_frames_read_as_they_were_sent),
        cmocka_unit_test(every_flag_is_told_from_the_others),
        cmocka_unit_test(every_option_is_read_or_named),
        cmocka_unit_test(sack_blocks_keep_their_order),
        cmocka_unit_test(options_cut_short_are_unknown_and_not_wrong),
        cmocka_unit_test(options_cut_short_can_still_be_wrong),
        cmocka_unit_test(checksums_are_judged_at_every_length),
        cmocka_unit_test(carries_are_not_lost),
        cmocka_unit_test(big_segments_are_judged),
        cmocka_unit_test(a_cut_segment_is_not_judged),
        cmocka_unit_test(a_route_is_part_of_the_checksum),
        cmocka_unit_test(payloads_are_told_apart_by_their_first_octets),
        cmocka_unit_test(payloads_of_zeros_differ_by_their_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
