/*
 * flood: sends whole TCP connections as raw frames on an interface, at a rate.
 *
 *     flood INTERFACE PACKETS RATE [PAYLOAD [EXCHANGES]]
 *
 * A connection is 6 packets and two an exchange (1 unless told), both directions, each frame
 * correct: SYN, SYN-ACK, ACK, then data and ACK again and again, FIN, FIN, ACK; on a tuple of its
 * own among two million.  RATE is in packets a second, 0: as fast
 * as it goes.  Prints how many were sent and how long it took; meant for a namespace of the
 * caller's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEADERS = 14 + 20 + 20, MOST_PAYLOAD = 1400, BATCH = 64, NANOS = 1000000000 };
enum { FIN = 1, SYN = 2, ACK = 16 };

/* One packet of a connection: who, flags, and how far both have come, in octets of payload and
 * in control bits. */
struct step {
    int from;
    uint8_t flags;
    uint32_t sequence[2]; /* of each side beyond its ISN, payload not counted */
    int has_data;
};

/* clang-format off */
static const struct step opening[] = {
    {0, SYN,       {0, 0}, 0},
    {1, SYN | ACK, {1, 0}, 0},
    {0, ACK,       {1, 1}, 0},
};

static const struct step exchange[] = {
    {0, ACK,       {1, 1}, 1},
    {1, ACK,       {1, 1}, 0},
};

static const struct step closing[] = {
    {0, FIN | ACK, {1, 1}, 0},
    {1, FIN | ACK, {2, 1}, 0},
    {0, ACK,       {2, 2}, 0},
};
/* clang-format on */

/* What connections look like. */
struct shape {
    size_t payload;
    uint32_t exchanges;
};

static uint32_t packets_of(const struct shape *shape)
{
    return 6 + 2 * shape->exchanges;
}

/* The step of a connection's packet, and how many times the payload went before it. */
static const struct step *find_step(const struct shape *shape, uint32_t packet, uint32_t *ret_sent)
{
    uint32_t end = 3 + 2 * shape->exchanges;
    *ret_sent = packet < 3 ? 0 : packet >= end ? shape->exchanges : (packet - 3 + 1) / 2;
    if (packet < 3)
        return &opening[packet];
    return packet >= end ? &closing[packet - end] : &exchange[(packet - 3) % 2];
}

static uint32_t sum_of(const uint8_t *octets, size_t count, uint32_t sum)
{
    for (size_t i = 0; i + 1 < count; i += 2)
        sum += (uint32_t)(octets[i] << 8 | octets[i + 1]);
    if (count % 2 != 0)
        sum += (uint32_t)octets[count - 1] << 8;
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

/* Writes packet number `number` of the whole stream; returns its length. */
static size_t make_frame(uint8_t *frame, uint64_t number, const struct shape *shape)
{
    uint32_t times, packets = packets_of(shape);
    const struct step *step = find_step(shape, (uint32_t)(number % packets), &times);
    uint32_t connection = (uint32_t)(number / packets % 2000000);
    const uint32_t isn[2] = {connection * 7919u, connection * 104729u};
    uint32_t address[2] = {0x0a000000u + connection / 50000 + 1, 0x0a010001u};
    uint16_t port[2] = {(uint16_t)(10000 + connection % 50000), 443};
    int from = step->from, to = 1 - from;
    size_t data = step->has_data ? shape->payload : 0;
    uint32_t sent[2] = {times * (uint32_t)shape->payload, 0};
    uint8_t *ip = frame + 14, *tcp = ip + 20;
    memset(frame, 0, HEADERS);
    put16(frame + 12, ETHERTYPE_IP);
    ip[0] = 0x45;
    put16(ip + 2, (uint32_t)(40 + data));
    put16(ip + 4, (uint32_t)number | 1);
    ip[8] = 64;
    ip[9] = 6;
    put32(ip + 12, address[from]);
    put32(ip + 16, address[to]);
    put16(ip + 10, fold(sum_of(ip, 20, 0)));
    put16(tcp, port[from]);
    put16(tcp + 2, port[to]);
    put32(tcp + 4, isn[from] + step->sequence[from] + sent[from]);
    put32(tcp + 8, step->flags & ACK ? isn[to] + step->sequence[to] + sent[to] : 0);
    tcp[12] = 5 << 4;
    tcp[13] = step->flags;
    put16(tcp + 14, 65535);
    memset(tcp + 20, 'x', data);
    put16(tcp + 16, fold(sum_of(tcp, 20 + data, sum_of(ip + 12, 8, (uint32_t)(6 + 20 + data)))));
    return HEADERS + data;
}

static int open_interface(const char *name)
{
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name), .sll_protocol = 0};
    int on = 1;
    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
    if (fd < 0 || address.sll_ifindex == 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        fprintf(stderr, "flood: %s: %s\n", name, strerror(errno));
        exit(1);
    }
    return fd;
}

static int64_t now(void)
{
    struct timespec clock;
    clock_gettime(CLOCK_MONOTONIC, &clock);
    return (int64_t)clock.tv_sec * NANOS + clock.tv_nsec;
}

/* Sends a batch whole, whatever the queue says. */
static void send_batch(int fd, struct mmsghdr *messages, unsigned count)
{
    unsigned done = 0;
    while (done < count) {
        int went = sendmmsg(fd, messages + done, count - done, 0);
        if (went > 0)
            done += (unsigned)went;
        else if (errno != ENOBUFS && errno != EAGAIN)
            exit(1);
    }
}

int main(int argc, char **argv)
{
    static uint8_t frames[BATCH][HEADERS + MOST_PAYLOAD];
    static struct iovec parts[BATCH];
    static struct mmsghdr messages[BATCH];
    if (argc < 4)
        return 2;
    int fd = open_interface(argv[1]);
    uint64_t packets = strtoull(argv[2], NULL, 10), rate = strtoull(argv[3], NULL, 10), sent = 0;
    const struct shape shape = {
        .payload = argc > 4 ? strtoull(argv[4], NULL, 10) : 100,
        .exchanges = argc > 5 ? (uint32_t)strtoul(argv[5], NULL, 10) : 1,
    };
    int64_t began = now();
    if (shape.payload > MOST_PAYLOAD || shape.exchanges > 1000)
        return 2;
    while (sent < packets) {
        unsigned count = packets - sent < BATCH ? (unsigned)(packets - sent) : BATCH;
        for (unsigned i = 0; i < count; i++) {
            parts[i] = (struct iovec){frames[i], make_frame(frames[i], sent + i, &shape)};
            messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
        }
        int64_t due = rate == 0 ? 0 : began + (int64_t)(sent * (double)NANOS / (double)rate);
        int64_t early = due - now();
        if (early > 200000)
            nanosleep(&(struct timespec){.tv_nsec = (long)early % NANOS}, NULL);
        send_batch(fd, messages, count);
        sent += count;
    }
    printf("%llu %.3f\n", (unsigned long long)sent, (double)(now() - began) / NANOS);
    return 0;
}
