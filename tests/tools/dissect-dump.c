/*
 * dissect-dump: what dissect() makes of a capture, one line per frame, for compare-dissect.py.
 *
 *      dissect-dump CAPTURE
 *
 * Every line begins with the frame's number and its result.  For a segment the fields follow, each
 * as name=value; options only where the segment has them.  For an ICMP error its own fields follow,
 * and those of the segment that it quotes.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <pcap.h>
#include <stdio.h>

#include "../../dissect/dissect.h"

static const char *const verdicts[] = {"unverified", "good", "partial", "bad"};

static void addresses_print(const struct segment *segment)
{
    int family = segment->ip_version == 4 ? AF_INET : AF_INET6;
    char source[INET6_ADDRSTRLEN] = "";
    char destination[INET6_ADDRSTRLEN] = "";
    inet_ntop(family, segment->source, source, sizeof source);
    inet_ntop(family, segment->destination, destination, sizeof destination);
    printf(" source=%s destination=%s", source, destination);
}

static void options_print(const struct segment *segment)
{
    if ((segment->options & OPTION_MSS) != 0)
        printf(" mss=%u", segment->mss);
    if ((segment->options & OPTION_WINDOW_SCALE) != 0)
        printf(" scale=%u", segment->window_scale);
    if ((segment->options & OPTION_TIMESTAMPS) != 0)
        printf(" tsval=%" PRIu32 " tsecr=%" PRIu32, segment->tsval, segment->tsecr);
    if ((segment->options & OPTION_SACK_PERMITTED) != 0)
        printf(" sackok=1");
    for (int i = 0; i < segment->sacks; i++)
        printf("%s%" PRIu32 "-%" PRIu32, i == 0 ? " sack=" : ",", segment->sack[i].left,
               segment->sack[i].right);
    printf(" options=%#x", segment->options);
}

static void segment_print(const struct segment *segment)
{
    addresses_print(segment);
    printf(" sport=%u dport=%u", segment->source_port, segment->destination_port);
    printf(" ttl=%u id=%u iplen=%" PRIu32, segment->ttl, segment->ip_id, segment->ip_length);
    printf(" seq=%" PRIu32 " ack=%" PRIu32, segment->sequence, segment->acknowledgment);
    printf(" flags=%u window=%u", segment->flags, segment->window);
    printf(" len=%" PRIu32 " sum=%u", segment->payload, segment->checksum);
    options_print(segment);
    for (int i = 0; i < segment->vlans; i++)
        printf("%s%u", i == 0 ? " vlan=" : ",", segment->vlan[i]);
    printf(" verdict=%s cut=%u", verdicts[segment->checksum_verdict], segment->cut);
}

static void error_print(const struct frame *frame)
{
    struct segment quoted;
    struct icmp_error error;
    if (dissect_icmp_error(frame, &quoted, &error) != DISSECT_ICMP_ERROR) {
        printf(" (not read again)");
        return;
    }
    char from[INET6_ADDRSTRLEN] = "";
    inet_ntop(error.ip_version == 4 ? AF_INET : AF_INET6, error.from, from, sizeof from);
    printf(" version=%u type=%u code=%u mtu=%" PRIu32 " from=%s", error.ip_version, error.type,
           error.code, error.mtu, from);
    addresses_print(&quoted);
    printf(" sport=%u dport=%u seq=%" PRIu32, quoted.source_port, quoted.destination_port,
           quoted.sequence);
}

static void capture_print(pcap_t *capture)
{
    struct pcap_pkthdr *header;
    const u_char *data;
    for (unsigned long number = 1; pcap_next_ex(capture, &header, &data) == 1; number++) {
        struct frame frame = {data, header->caplen, header->len, pcap_datalink(capture), 0};
        struct segment segment;
        do {
            enum dissect_result result = dissect(&frame, &segment);
            printf(frame.part == 0 ? "%1$lu %2$s" : "%1$lu/%3$u %2$s", number,
                   dissect_result_name(result), frame.part);
            if (result == DISSECT_SEGMENT)
                segment_print(&segment);
            if (result == DISSECT_ICMP_ERROR)
                error_print(&frame);
            printf("\n");
            frame.part++;
        } while (segment.further);
    }
}

int main(int count, char **arguments)
{
    char message[PCAP_ERRBUF_SIZE];
    if (count != 2) {
        fprintf(stderr, "usage: dissect-dump CAPTURE\n");
        return 2;
    }
    pcap_t *capture = pcap_open_offline(arguments[1], message);
    if (capture == NULL) {
        fprintf(stderr, "dissect-dump: %s\n", message);
        return 1;
    }
    capture_print(capture);
    pcap_close(capture);
    return 0;
}
