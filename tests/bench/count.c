/*
 * count: the least a program can do with a capture: read it with libpcap and count.  What lastack
 * takes is told as a multiple of this.
 *
 *      count CAPTURE
 */
#include <inttypes.h>
#include <pcap.h>
#include <stdio.h>

struct counts {
    uint64_t packets, octets;
};

static void packet_count(u_char *user, const struct pcap_pkthdr *header, const u_char *data)
{
    struct counts *counts = (struct counts *)user;
    (void)data;
    counts->packets++;
    counts->octets += header->len;
}

int main(int argc, char **argv)
{
    char problem[PCAP_ERRBUF_SIZE];
    struct counts counts = {0};
    if (argc != 2) {
        fputs("usage: count CAPTURE\n", stderr);
        return 2;
    }
    pcap_t *capture = pcap_open_offline(argv[1], problem);
    if (capture == NULL) {
        fprintf(stderr, "count: %s\n", problem);
        return 3;
    }
    int result = pcap_loop(capture, -1, packet_count, (u_char *)&counts);
    if (result != 0)
        fprintf(stderr, "count: %s: %s\n", argv[1], pcap_geterr(capture));
    pcap_close(capture);
    printf("packets=%" PRIu64 " octets=%" PRIu64 "\n", counts.packets, counts.octets);
    return result == 0 ? 0 : 4;
}
