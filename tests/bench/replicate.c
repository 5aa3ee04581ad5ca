/*
 * replicate: a real capture many times over, each copy with addresses and ports of its own.
 *
 *      replicate [--copies N] [--live N] [--seed N] CAPTURE [FILE]
 *
 * Copies begin independently of each other; about as many as asked for are under way at once.  What
 * the kernels of the capture did stays as it was: distances in time, numbers, options, checksums
 * (those that were wrong are wrong in the copies).  One line on stderr tells the seed and what was
 * made; connections are the different (tuple, ISN) of the capture's SYNs, times the copies.
 */
#include <getopt.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "draw.h"

enum { ETHERNET = 14, IP_LEAST = 20, TCP_LEAST = 20, TCP = 6, SYN = 0x02, ACK = 0x10 };
enum { MOST_PACKETS = 4096, MOST_HOSTS = 64, MOST_FRAME = 1 << 16 };
enum { PORTS = 0x8000 }; /* that a copy's clients may have, from PORTS on */

static const int64_t nano_per_second = 1000000000;

/* A frame of the capture, and where in it what is rewritten stands. */
struct original {
    int64_t time;     /* ns after the first */
    uint32_t host[2]; /* source, destination: numbers of hosts[] */
    uint16_t port[2];
    uint32_t length, kept;
    uint8_t *octets;
};

struct capture {
    struct original packet[MOST_PACKETS];
    uint32_t packets, hosts, connections;
    uint32_t hosts_address[MOST_HOSTS];
    uint16_t served;             /* the port that the SYNs went to */
    uint16_t least_port, stride; /* clients' ports: from, and how many lie between copies */
    int64_t begins, lasts;       /* ns */
};

/* A copy under way. */
struct copy {
    int64_t begins;
    uint32_t number, next; /* of the packet that comes next */
};

struct amounts {
    uint64_t copies, live, seed;
};

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* Puts another value in place of 16 bits that a checksum covers; RFC 1624, equation 3. */
static void rewrite(uint8_t *at, uint32_t value, uint8_t *checksum, uint8_t *checksum2)
{
    uint32_t old = get16(at);
    uint8_t *sums[] = {checksum, checksum2};
    for (int i = 0; i < 2; i++) {
        if (sums[i] == NULL)
            continue;
        uint32_t sum = (~get16(sums[i]) & 0xffff) + (~old & 0xffff) + value;
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        put16(sums[i], ~sum & 0xffff);
    }
    put16(at, value);
}

static uint32_t host_of(struct capture *capture, uint32_t address)
{
    uint32_t i = 0;
    while (i < capture->hosts && capture->hosts_address[i] != address)
        i++;
    if (i == capture->hosts && i < MOST_HOSTS)
        capture->hosts_address[capture->hosts++] = address;
    return i;
}

static const uint8_t *tcp_of(const uint8_t *frame)
{
    return frame + ETHERNET + (size_t)(frame[ETHERNET] & 0x0f) * 4;
}

/* Whether the frame is what can be copied: TCP in IPv4 in Ethernet, its TCP header whole. */
static bool is_fit(const struct pcap_pkthdr *header, const uint8_t *frame)
{
    if (header->caplen < ETHERNET + IP_LEAST + TCP_LEAST || get16(frame + 12) != 0x0800)
        return false;
    const uint8_t *ip = frame + ETHERNET;
    uint32_t size = (uint32_t)(ip[0] & 0x0f) * 4;
    return ip[0] >> 4 == 4 && size >= IP_LEAST && ip[9] == TCP && (get16(ip + 6) & 0x3fff) == 0 &&
           header->caplen >= ETHERNET + size + TCP_LEAST;
}

/* Whether no SYN before this one had its ports and its number. */
static bool begins_another(const struct capture *capture, const uint8_t *tcp)
{
    for (uint32_t i = 0; i < capture->packets; i++) {
        const uint8_t *other = tcp_of(capture->packet[i].octets);
        if ((other[13] & (SYN | ACK)) == SYN && memcmp(other, tcp, 8) == 0)
            return false;
    }
    return true;
}

static bool keep(struct capture *capture, const struct pcap_pkthdr *header, const uint8_t *frame)
{
    struct original *packet = &capture->packet[capture->packets];
    const uint8_t *ip = frame + ETHERNET, *tcp = tcp_of(frame);
    int64_t time = header->ts.tv_sec * nano_per_second + header->ts.tv_usec;
    if (capture->packets == 0)
        capture->begins = time;
    *packet = (struct original){
        .time = time - capture->begins,
        .host = {host_of(capture, get32(ip + 12)), host_of(capture, get32(ip + 16))},
        .port = {(uint16_t)get16(tcp), (uint16_t)get16(tcp + 2)},
        .length = header->len,
        .kept = header->caplen,
        .octets = malloc(header->caplen),
    };
    if (packet->octets == NULL || capture->hosts == MOST_HOSTS || packet->time < 0)
        return false;
    memcpy(packet->octets, frame, header->caplen);
    if ((tcp[13] & (SYN | ACK)) == SYN && begins_another(capture, tcp)) {
        capture->connections++;
        capture->served = packet->port[1];
    }
    capture->lasts = packet->time > capture->lasts ? packet->time : capture->lasts;
    capture->packets++;
    return true;
}

/* How many ports the clients of a copy take, as a power of two. */
static void find_ports(struct capture *capture)
{
    uint16_t least = UINT16_MAX, most = 0;
    for (uint32_t i = 0; i < capture->packets; i++) {
        for (int end = 0; end < 2; end++) {
            uint16_t port = capture->packet[i].port[end];
            if (port == capture->served)
                continue;
            least = port < least ? port : least;
            most = port > most ? port : most;
        }
    }
    capture->least_port = least;
    capture->stride = 1;
    while (capture->stride < PORTS / 2 && capture->stride <= most - least)
        capture->stride = (uint16_t)(capture->stride * 2);
}

static bool read_capture(const char *name, struct capture *capture)
{
    char error[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const uint8_t *frame;
    pcap_t *file = pcap_open_offline_with_tstamp_precision(name, PCAP_TSTAMP_PRECISION_NANO, error);
    if (file == NULL || pcap_datalink(file) != DLT_EN10MB) {
        fprintf(stderr, "replicate: %s: %s\n", name, file == NULL ? error : "not Ethernet");
        return false;
    }
    bool whole = true;
    while (whole && capture->packets < MOST_PACKETS && pcap_next_ex(file, &header, &frame) == 1)
        whole = is_fit(header, frame) && keep(capture, header, frame);
    pcap_close(file);
    find_ports(capture);
    if (!whole || capture->connections == 0)
        fprintf(stderr, "replicate: %s: not all of it is TCP in IPv4, whole and in order\n", name);
    return whole && capture->connections > 0;
}

/* Rewrites a frame as the copy of that number has it: a network and a run of ports of its own. */
static void rewrite_frame(const struct capture *capture, const struct original *packet,
                          uint32_t number, uint8_t *frame)
{
    const uint32_t runs = PORTS / capture->stride;
    uint8_t *ip = frame + ETHERNET, *tcp = frame + (tcp_of(frame) - frame);
    for (int end = 0; end < 2; end++) {
        uint8_t *address = ip + 12 + (size_t)end * 4, *port = tcp + (size_t)end * 2;
        uint32_t host = 0x0a000000 | packet->host[end] << 18 | (number / runs & 0x3ffff);
        rewrite(address, host >> 16, ip + 10, tcp + 16);
        rewrite(address + 2, host & 0xffff, ip + 10, tcp + 16);
        if (packet->port[end] == capture->served)
            continue;
        uint32_t within = packet->port[end] - capture->least_port;
        rewrite(port, PORTS + number % runs * capture->stride + within, NULL, tcp + 16);
    }
}

static int64_t time_of(const struct capture *capture, const struct copy *copy)
{
    return copy->begins + capture->packet[copy->next].time;
}

static void write_packet(const struct capture *capture, const struct copy *copy,
                         pcap_dumper_t *dumper)
{
    static uint8_t frame[MOST_FRAME];
    const struct original *packet = &capture->packet[copy->next];
    int64_t time = time_of(capture, copy);
    struct pcap_pkthdr header = {.caplen = packet->kept, .len = packet->length};
    header.ts.tv_sec = time / nano_per_second;
    header.ts.tv_usec = time % nano_per_second;
    memcpy(frame, packet->octets, packet->kept);
    rewrite_frame(capture, packet, copy->number, frame);
    pcap_dump((uint8_t *)dumper, &header, frame);
}

/* Sinks the first of a binary heap to where its time belongs. */
static void sink(const struct capture *capture, struct copy *heap, uint32_t count)
{
    struct copy moved = heap[0];
    uint32_t at = 0;
    for (uint32_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count &&
            time_of(capture, &heap[child + 1]) < time_of(capture, &heap[child]))
            child++;
        if (time_of(capture, &moved) <= time_of(capture, &heap[child]))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

/* A copy that begins later than all others: its place is the last. */
static struct copy *grown(struct copy *heap, uint32_t count)
{
    return (count & (count - 1)) == 0 ? realloc(heap, (count == 0 ? 1 : count * 2) * sizeof(*heap))
                                      : heap;
}

static void raise(const struct capture *capture, struct copy *heap, uint32_t at)
{
    struct copy moved = heap[at];
    while (at > 0 && time_of(capture, &moved) < time_of(capture, &heap[(at - 1) / 2])) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = moved;
}

/* Writes all copies in the order of time; returns how many were under way at once, 0: no memory. */
static uint32_t write_copies(const struct capture *capture, const struct amounts *amounts,
                             pcap_dumper_t *dumper)
{
    struct draw draw = {amounts->seed};
    double wait = (double)capture->lasts / (double)amounts->live;
    int64_t begins = capture->begins;
    struct copy *heap = NULL;
    uint32_t count = 0, most = 0, begun = 0;
    while (count > 0 || begun < amounts->copies) {
        if (begun < amounts->copies && (count == 0 || begins <= time_of(capture, &heap[0]))) {
            struct copy *room = grown(heap, count);
            if (room == NULL)
                break;
            heap = room;
            heap[count] = (struct copy){begins, begun++, 0};
            raise(capture, heap, count++);
            begins += draw_wait(&draw, wait);
            most = count > most ? count : most;
            continue;
        }
        write_packet(capture, &heap[0], dumper);
        if (++heap[0].next == capture->packets)
            heap[0] = heap[--count];
        if (count > 0)
            sink(capture, heap, count);
    }
    free(heap);
    return count == 0 ? most : 0;
}

static int replicate(const struct capture *capture, const struct amounts *amounts, const char *name)
{
    pcap_t *like =
        pcap_open_dead_with_tstamp_precision(DLT_EN10MB, MOST_FRAME, PCAP_TSTAMP_PRECISION_NANO);
    pcap_dumper_t *dumper = like == NULL ? NULL : pcap_dump_open(like, name);
    if (dumper == NULL) {
        fprintf(stderr, "replicate: %s\n", like == NULL ? "no memory" : pcap_geterr(like));
        return 1;
    }
    uint32_t most = write_copies(capture, amounts, dumper);
    bool whole = pcap_dump_flush(dumper) == 0 && most > 0;
    pcap_dump_close(dumper);
    pcap_close(like);
    if (!whole) {
        perror("replicate");
        return 1;
    }
    fprintf(stderr,
            "workload=replica seed=%" PRIu64 " connections=%" PRIu64 " live=%" PRIu32
            " packets=%" PRIu64 "\n",
            amounts->seed, amounts->copies * capture->connections, most,
            amounts->copies * capture->packets);
    return 0;
}

static bool read_arguments(int argc, char **argv, struct amounts *amounts)
{
    static const struct option options[] = {{"copies", required_argument, NULL, 'c'},
                                            {"live", required_argument, NULL, 'l'},
                                            {"seed", required_argument, NULL, 's'},
                                            {0}};
    uint64_t *places[] = {['c'] = &amounts->copies, ['l'] = &amounts->live, ['s'] = &amounts->seed};
    int found;
    while ((found = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (found == '?')
            return false;
        *places[found] = strtoull(optarg, NULL, 10);
    }
    return argc - optind >= 1 && argc - optind <= 2 && amounts->copies > 0 && amounts->live > 0 &&
           amounts->copies <= UINT32_MAX;
}

int main(int argc, char **argv)
{
    static struct capture capture;
    struct amounts amounts = {100000, 1000, 0};
    if (!read_arguments(argc, argv, &amounts)) {
        fputs("usage: replicate [--copies N] [--live N] [--seed N] CAPTURE [FILE]\n", stderr);
        return 2;
    }
    while (amounts.seed == 0)
        if (getrandom(&amounts.seed, 4, 0) != 4)
            break;
    if (!read_capture(argv[optind], &capture))
        return 1;
    int result = replicate(&capture, &amounts, optind + 1 < argc ? argv[optind + 1] : "-");
    for (uint32_t i = 0; i < capture.packets; i++)
        free(capture.packet[i].octets);
    return result;
}
