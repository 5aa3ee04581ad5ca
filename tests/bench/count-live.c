/*
 * count-live: the least a program can do with a live interface: capture with libpcap and count.
 *
 *      count-live INTERFACE KIB
 *
 * The kernel's ring has KIB and the timeout that lastack gives it.  Prints "ready" on a line, and
 * at SIGINT what it counted, what the kernel received for it and what it dropped.
 */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { SNAPLEN = 262144, TIMEOUT_MS = 100 };

static pcap_t *capture; /* for the handler */

static void stop(int signal_number)
{
    (void)signal_number;
    pcap_breakloop(capture);
}

static void count_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *data)
{
    (void)header;
    (void)data;
    ++*(uint64_t *)(void *)user;
}

static int refuse(const char *what)
{
    fprintf(stderr, "count-live: %s\n", what);
    return 1;
}

/* What is still in the ring when the loop ends. */
static void count_rest(uint64_t *packets)
{
    char problem[PCAP_ERRBUF_SIZE];
    if (pcap_setnonblock(capture, 1, problem) != 0)
        return;
    while (pcap_dispatch(capture, -1, count_packet, (u_char *)packets) > 0)
        continue;
}

int main(int argc, char **argv)
{
    char problem[PCAP_ERRBUF_SIZE];
    struct pcap_stat stat;
    uint64_t packets = 0;
    if (argc != 3)
        return refuse("usage: count-live INTERFACE KIB");
    capture = pcap_create(argv[1], problem);
    if (capture == NULL)
        return refuse(problem);
    pcap_set_snaplen(capture, SNAPLEN);
    pcap_set_promisc(capture, 1);
    pcap_set_timeout(capture, TIMEOUT_MS);
    pcap_set_buffer_size(capture, atoi(argv[2]) * 1024);
    if (pcap_activate(capture) < 0)
        return refuse(pcap_geterr(capture));
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGINT, &action, NULL);
    puts("ready");
    fflush(stdout);
    pcap_loop(capture, -1, count_packet, (u_char *)&packets);
    count_rest(&packets);
    if (pcap_stats(capture, &stat) != 0)
        return refuse(pcap_geterr(capture));
    printf("%" PRIu64 " %u %u\n", packets, stat.ps_recv, stat.ps_drop);
    pcap_close(capture);
    return 0;
}
