/*
 * source reads pipes as they are filled, several inputs in the order of time with few descriptors,
 * what a filter and a count choose, and a live interface.
 */
#include "captures.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

/* --- pipes ------------------------------------------------------------------------------------ */

/* Octets trickle in: each packet is given as soon as it is whole, and nothing is waited for. */
static void trickle(const struct blob *blob, uint32_t fraction_nanos, bool in_halves)
{
    const char *name = "-";
    struct captured_packet packet;
    int fd = pipe_to_stdin();
    feed(fd, blob, 0, blob->ends[0]);
    struct source *source = open_file(&name);
    for (size_t i = 0; i < PACKETS; i++) {
        assert_int_equal(source_next(source, &packet), SOURCE_IDLE);
        size_t middle = in_halves ? blob->ends[i] + 17 : blob->ends[i];
        feed(fd, blob, blob->ends[i], middle);
        if (in_halves)
            assert_int_equal(source_next(source, &packet), SOURCE_IDLE);
        feed(fd, blob, middle, blob->ends[i + 1]);
        assert_int_equal(source_next(source, &packet), SOURCE_PACKET);
        assert_packet(&packet, i, fraction_nanos);
    }
    assert_int_equal(source_next(source, &packet), SOURCE_IDLE);
    close(fd);
    assert_int_equal(source_next(source, &packet), SOURCE_END);
    assert_false(source_input(source, 0)->damaged);
    assert_int_equal(source_progress(source).bytes_total, 0);
    source_free(source);
}

static void a_packet_in_a_pipe_is_given_when_it_is_whole(void **state)
{
    (void)state;
    struct blob classic = blob_classic(&forms[1]);
    struct blob pcapng = blob_pcapng();
    trickle(&classic, 1000, true);
    trickle(&pcapng, 1, false);
    free(classic.octets);
    free(pcapng.octets);
}

static void standard_input_may_be_a_file(void **state)
{
    (void)state;
    const char *name = "-";
    struct blob blob = blob_classic(&forms[3]);
    write_file("redirected", blob.octets, blob.size);
    int fd = open("redirected", O_RDONLY);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    close(fd);
    struct source *source = open_file(&name);
    assert_int_equal(source_progress(source).bytes_total, blob.size);
    assert_int_equal(read_all(source, 1), PACKETS);
    assert_int_equal(source_progress(source).bytes_read, blob.size);
    source_free(source);
    free(blob.octets);

    char message[MESSAGE_SIZE] = "";
    const char *const twice[] = {"-", "-"};
    const struct source_options options = {.files = twice, .file_count = 2};
    assert_int_equal(source_open(&options, &source, message), STATUS_USAGE);
}

static struct source *to_break; /* what the signal handler needs */

static void break_it(int signal_number)
{
    (void)signal_number;
    source_break(to_break);
}

static void source_break_ends_the_waiting(void **state)
{
    (void)state;
    const char *name = "-";
    struct captured_packet packet;
    struct blob blob = blob_classic(&forms[0]);
    int fd = pipe_to_stdin();
    feed(fd, &blob, 0, blob.size - 1); /* in the middle of the last packet: that is no damage */
    to_break = open_file(&name);
    signal(SIGALRM, break_it);
    const struct itimerval soon = {.it_value = {.tv_usec = 150000}};
    setitimer(ITIMER_REAL, &soon, NULL);
    assert_int_equal(read_all(to_break, 1000), PACKETS - 1);
    assert_int_equal(source_next(to_break, &packet), SOURCE_END);
    assert_false(source_input(to_break, 0)->damaged);
    source_free(to_break);
    close(fd);
    free(blob.octets);
}

/* --- several inputs, filter, count ------------------------------------------------------------ */

static void write_at(const char *name, nanotime time, bool has_packets)
{
    struct blob blob = blob_new();
    blob_put_header(&blob, &forms[2]);
    for (size_t i = 0; has_packets && i < 2; i++)
        blob_put_record(&blob, &forms[2], time + (nanotime)i, i);
    write_file(name, blob.octets, blob.size);
    free(blob.octets);
}

static void assert_order(const char *const *given, const char *const *expected, size_t count)
{
    struct source *source = open_files(given, count);
    struct captured_packet packet;
    for (size_t i = 0; i < count; i++)
        assert_string_equal(source_input(source, i)->name, expected[i]);
    nanotime last = INT64_MIN;
    uint64_t number = 0;
    while (source_next(source, &packet) == SOURCE_PACKET) {
        assert_true(packet.time >= last);
        assert_int_equal(packet.number, ++number);
        last = packet.time;
    }
    for (size_t i = 0; i < count; i++)
        assert_false(source_input(source, i)->damaged);
    struct source_progress progress = source_progress(source);
    assert_int_equal(progress.bytes_read, progress.bytes_total);
    source_free(source);
}

static void files_are_read_in_order_of_their_first_packets(void **state)
{
    (void)state;
    write_at("c", first_time + 30, true);
    write_at("a", first_time + 10, true);
    write_at("b2", first_time + 20, true);
    write_at("b1", first_time + 20, true);
    write_at("none", 0, false);
    const char *const given[] = {"c", "b2", "none", "b1", "a"};
    const char *const expected[] = {"none", "a", "b2", "b1", "c"};
    assert_order(given, expected, ARRAY_LEN(given));
}

/* A pipe cannot be looked at beforehand: it stays where it was named, the files move around it. */
static void a_pipe_keeps_its_place_among_files(void **state)
{
    (void)state;
    struct captured_packet packet;
    struct blob blob = blob_classic(&forms[2]);
    int fd = pipe_to_stdin();
    feed(fd, &blob, 0, blob.size);
    close(fd);
    free(blob.octets);
    write_at("c", first_time + 30, true);
    write_at("a", first_time + 10, true);
    const char *const given[] = {"c", "-", "a"};
    struct source *source = open_files(given, 3);
    assert_string_equal(source_input(source, 0)->name, "a");
    assert_string_equal(source_input(source, 1)->name, "-");
    assert_string_equal(source_input(source, 2)->name, "c");
    size_t per_input[3] = {0};
    while (source_next(source, &packet) == SOURCE_PACKET)
        per_input[packet.input]++;
    assert_int_equal(per_input[0], 2);
    assert_int_equal(per_input[1], PACKETS);
    assert_int_equal(per_input[2], 2);
    source_free(source);
}

static size_t count_descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            count++;
    return count;
}

static void hundreds_of_files_need_few_descriptors(void **state)
{
    (void)state;
    enum { FILES = 300 };
    char names[FILES][16];
    const char *pointers[FILES];
    for (size_t i = 0; i < FILES; i++) {
        snprintf(names[i], sizeof names[i], "many%zu", i);
        write_at(names[i], first_time + (nanotime)(FILES - i) * 10, true);
        pointers[i] = names[i];
    }
    size_t before = count_descriptors();
    struct source *source = open_files(pointers, FILES);
    struct captured_packet packet;
    nanotime last = 0;
    size_t count = 0;
    while (source_next(source, &packet) == SOURCE_PACKET) {
        assert_true(time_is_before(last, packet.time));
        last = packet.time;
        count++;
        assert_in_range(count_descriptors(), before, before + 4);
    }
    assert_int_equal(count, 2 * FILES);
    source_free(source);
    assert_int_equal(count_descriptors(), before);
}

static void a_file_that_vanishes_is_said_and_the_rest_read(void **state)
{
    (void)state;
    write_at("stays", first_time, true);
    write_at("goes", first_time + 10, true);
    const char *const given[] = {"stays", "goes"};
    struct source *source = open_files(given, 2);
    unlink("goes");
    struct captured_packet packet;
    size_t count = 0;
    while (source_next(source, &packet) == SOURCE_PACKET)
        count++;
    assert_int_equal(count, 2);
    assert_true(source_input(source, 1)->damaged);
    assert_non_null(strstr(source_input(source, 1)->problem, "no such file"));
    source_free(source);
}

/* The filter takes packets away; the others keep the numbers they have in the file. */
static void the_filter_and_the_count_choose(void **state)
{
    (void)state;
    char message[MESSAGE_SIZE] = "";
    struct captured_packet packet;
    struct source *source = NULL;
    const char *const names[] = {"f.pcap", "g.pcapng"};
    struct blob classic = blob_classic(&forms[1]);
    struct blob pcapng = blob_pcapng();
    write_file(names[0], classic.octets, classic.size);
    write_file(names[1], pcapng.octets, pcapng.size);
    struct source_options options = {.files = names, .file_count = 2, .filter = "ether[0] >= 3"};
    static const uint64_t numbers[] = {4, 4, 5, 5}; /* both files have these times */
    assert_int_equal(source_open(&options, &source, message), STATUS_OK);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        assert_int_equal(source_next(source, &packet), SOURCE_PACKET);
        assert_int_equal(packet.input, i % 2);
        assert_int_equal(packet.input_packet, numbers[i]);
        assert_int_equal(packet.data[0], numbers[i] - 1);
    }
    assert_int_equal(source_next(source, &packet), SOURCE_END);
    assert_int_equal(source_progress(source).packets, 4);
    source_free(source);

    options.count = 3;
    assert_int_equal(source_open(&options, &source, message), STATUS_OK);
    size_t count = 0;
    while (source_next(source, &packet) == SOURCE_PACKET)
        count++;
    assert_int_equal(count, 3);
    assert_false(source_input(source, 1)->damaged);
    source_free(source);

    assert_refused(names[0], "tcp prt 80", STATUS_USAGE, "\"tcp prt 80\"");
    assert_refused(names[1], "wlan type mgt", STATUS_USAGE, "EN10MB");
    free(classic.octets);
    free(pcapng.octets);
}

/* --- live ------------------------------------------------------------------------------------- */

static void send_datagram(int port)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    sendto(fd, "lastack", 7, 0, (const struct sockaddr *)&to, sizeof to);
    close(fd);
}

static void the_loopback_interface_is_captured_live(void **state)
{
    (void)state;
    char message[MESSAGE_SIZE] = "";
    struct captured_packet packet;
    struct source *source = NULL;
    uint64_t received, dropped, dropped_by_interface;
    const char *const interface = "lo";
    const struct source_options options = {
        .interfaces = &interface, .interface_count = 1, .filter = "udp dst port 40001", .count = 2};
    enum status status = source_open(&options, &source, message);
    if (status == STATUS_DENIED) {
        assert_non_null(strstr(message, "sudo setcap cap_net_raw,cap_net_admin=eip"));
        skip();
    }
    if (status != STATUS_OK) /* no loopback in this container */
        skip();
    assert_int_equal(source_next(source, &packet), SOURCE_IDLE);
    for (int port = 40000; port < 40003; port++)
        send_datagram(port);
    enum source_result result = SOURCE_IDLE;
    for (size_t tries = 0; tries < 20 && result == SOURCE_IDLE; tries++)
        result = source_next(source, &packet);
    assert_int_equal(result, SOURCE_PACKET);
    assert_int_equal(packet.length, 14 + 20 + 8 + 7);
    assert_in_range(packet.time, first_time, INT64_MAX);
    assert_int_equal(packet.input_packet, 1);
    assert_true(source_drops(source, &received, &dropped, &dropped_by_interface));
    assert_int_equal(source_next(source, &packet), SOURCE_IDLE);
    source_break(source);
    while ((result = source_next(source, &packet)) == SOURCE_IDLE)
        continue;
    assert_int_equal(result, SOURCE_END);
    source_free(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_in_a_pipe_is_given_when_it_is_whole),
        cmocka_unit_test(standard_input_may_be_a_file),
        cmocka_unit_test(source_break_ends_the_waiting),
        cmocka_unit_test(files_are_read_in_order_of_their_first_packets),
        cmocka_unit_test(a_pipe_keeps_its_place_among_files),
        cmocka_unit_test(hundreds_of_files_need_few_descriptors),
        cmocka_unit_test(a_file_that_vanishes_is_said_and_the_rest_read),
        cmocka_unit_test(the_filter_and_the_count_choose),
        cmocka_unit_test(the_loopback_interface_is_captured_live),
    };
    return cmocka_run_group_tests(tests, enter_directory, remove_directory);
}
