/*
 * The short way through a plain frame reads what the layers read: each packet is given behind an
 * Ethernet header, and bare, which no short way takes.
 */
#include "frames.h"

enum { HEADER = 14, IPV4 = 228, MUTATIONS = 400000 };

#define TCP_STAMPED   TCP_PORTS TCP_NUMBERS "8018 0100 0000 0000 0101080a 00112233 44556677"
#define TCP_OTHERWISE TCP_PORTS TCP_NUMBERS "8018 0100 0000 0000 080a0011 22334455 66770101"
#define TCP_OPENING                                                                                \
    TCP_PORTS TCP_NUMBERS "a002 0100 0000 0000 020405b4 0402080a 00112233 00000000 01030307"

/* What nobody sets is the same in both: zero. */
static enum dissect_result read_as(const struct bytes *packet, uint32_t captured, uint32_t length,
                                   int link_type, struct segment *ret_segment)
{
    struct bytes bytes = {.length = 0};
    if (link_type == ETHERNET)
        bytes_put(&bytes, "020000000002 020000000001 0800");
    uint32_t before = bytes.length;
    memcpy(bytes.data + before, packet->data, captured);
    bytes.length += captured;
    memset(ret_segment, 0, sizeof *ret_segment);
    return frame_read(&bytes, bytes.length, before + length, link_type, ret_segment);
}

static void assert_same(const struct bytes *packet, uint32_t captured, uint32_t length)
{
    struct segment framed, bare;
    enum dissect_result result = read_as(packet, captured, length, ETHERNET, &framed);
    assert_result(result, read_as(packet, captured, length, IPV4, &bare));
    if (result == DISSECT_SEGMENT)
        assert_memory_equal(&framed, &bare, sizeof framed);
}

static const char *const headers[] = {TCP_PLAIN, TCP_STAMPED, TCP_OTHERWISE, TCP_OPENING};

static void every_length_reads_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        for (uint32_t payload = 0; payload < 150; payload += 7) {
            struct bytes packet = packet4(headers[i], payload);
            for (uint32_t captured = 0; captured <= packet.length; captured++)
                assert_same(&packet, captured, packet.length);
            uint32_t whole = packet.length;
            bytes_fill(&packet, 6); /* padding of the link */
            assert_same(&packet, packet.length, packet.length);
            assert_same(&packet, whole, packet.length);
        }
    }
}

/* A small generator of its own: the same on every machine. */
static uint32_t draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static void changed_octets_read_the_same(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < MUTATIONS; i++) {
        struct bytes packet = packet4(headers[draw(&seed) % ARRAY_LEN(headers)], draw(&seed) % 20);
        for (uint32_t changes = draw(&seed) % 4; changes > 0; changes--)
            packet.data[draw(&seed) % packet.length] = (uint8_t)draw(&seed);
        uint32_t captured = draw(&seed) % 3 == 0 ? draw(&seed) % packet.length : packet.length;
        assert_same(&packet, captured, packet.length);
    }
}

static void plain_frames_take_the_short_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        struct bytes bytes = bytes_of("020000000002 020000000001 0800");
        struct bytes packet = packet4(headers[i], 9);
        struct segment segment;
        memcpy(bytes.data + HEADER, packet.data, packet.length);
        bytes.length += packet.length;
        assert_true(dissect_plain(ETHERNET, bytes.data, bytes.length, &segment));
        bytes.data[HEADER] = 0x46; /* options of IPv4 */
        assert_false(dissect_plain(ETHERNET, bytes.data, bytes.length, &segment));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_reads_the_same),
        cmocka_unit_test(changed_octets_read_the_same),
        cmocka_unit_test(plain_frames_take_the_short_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
