/* port: whoever stops one neither writes to what its thread closes, nor costs it packets, wherever
 * the thread is then.  libpcap is one of this test: it does what pcap-linux.c does, slowly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../../analyzer/source/port.h"

enum { READ_FIRST = 3, PACKETS = 5 };

static const struct timespec a_while = {.tv_nsec = 30000000};

static struct {
    atomic_bool broken_off; /* the next read ends with PCAP_ERROR_BREAK */
    atomic_bool breaking;   /* pcap_breakloop() is at work */
    atomic_bool is_open;    /* what it writes to */
    atomic_bool overlapped, wrote_to_closed;
    atomic_int given;
    const struct port *stopped_in; /* reads of it end only once it is stopping */
} stand_in;

void __wrap_pcap_breakloop(pcap_t *pcap);
int __wrap_pcap_setnonblock(pcap_t *pcap, int nonblock, char *error);
int __wrap_pcap_dispatch(pcap_t *pcap, int count, pcap_handler take, u_char *context);

void __wrap_pcap_breakloop(pcap_t *pcap)
{
    (void)pcap;
    atomic_store(&stand_in.breaking, true);
    nanosleep(&a_while, NULL);
    atomic_store(&stand_in.broken_off, true);
    if (!atomic_load(&stand_in.is_open))
        atomic_store(&stand_in.wrote_to_closed, true);
    atomic_store(&stand_in.breaking, false);
}

int __wrap_pcap_setnonblock(pcap_t *pcap, int nonblock, char *error)
{
    (void)pcap;
    (void)nonblock;
    (void)error;
    if (atomic_load(&stand_in.breaking))
        atomic_store(&stand_in.overlapped, true);
    atomic_store(&stand_in.is_open, false);
    return 0;
}

static void give_one(pcap_handler take, u_char *context)
{
    static const uint8_t octets[60];
    const struct pcap_pkthdr header = {.caplen = sizeof octets, .len = sizeof octets};
    take(context, &header, octets);
    atomic_fetch_add(&stand_in.given, 1);
}

/* A packet each; READ_FIRST until the port is stopping, which its thread sees after that read. */
int __wrap_pcap_dispatch(pcap_t *pcap, int count, pcap_handler take, u_char *context)
{
    (void)pcap;
    (void)count;
    if (atomic_exchange(&stand_in.broken_off, false))
        return PCAP_ERROR_BREAK;
    if (atomic_load(&stand_in.given) == PACKETS)
        return 0;
    while (atomic_load(&stand_in.given) == READ_FIRST &&
           !atomic_load(&stand_in.stopped_in->stopping))
        nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
    give_one(take, context);
    return 1;
}

static int count_queued(struct port *port)
{
    int count = 0;
    for (; packet_queue_first(&port->queue) != NULL; count++)
        packet_queue_drop(&port->queue);
    return count;
}

/* The thread ends its last blocking read as soon as it is to stop, before it is broken off. */
static void test_stopped_between_reads(void **state)
{
    (void)state;
    struct bell bell = {.fd = eventfd(0, EFD_CLOEXEC)};
    struct port port = {.pcap = NULL};
    stand_in.stopped_in = &port;
    atomic_store(&stand_in.is_open, true);
    assert_int_equal(packet_queue_init(&port.queue, 1), STATUS_OK);
    assert_int_equal(port_start(&port, &bell), STATUS_OK);
    while (atomic_load(&stand_in.given) < READ_FIRST)
        nanosleep(&a_while, NULL);
    port_stop(&port);
    while (!atomic_load(&port.ended))
        nanosleep(&a_while, NULL);
    assert_false(atomic_load(&stand_in.overlapped));
    assert_false(atomic_load(&stand_in.wrote_to_closed));
    assert_int_equal(count_queued(&port), PACKETS);
    port_stop(&port);
    assert_false(atomic_load(&stand_in.wrote_to_closed));
    port_clear(&port);
    close(bell.fd);
}

/* Without a thread there is nothing to stop. */
static void test_never_started(void **state)
{
    (void)state;
    struct port port = {.pcap = NULL};
    atomic_store(&stand_in.broken_off, false);
    port_stop(&port);
    assert_false(atomic_load(&stand_in.broken_off));
    port_clear(&port);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stopped_between_reads),
        cmocka_unit_test(test_never_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
