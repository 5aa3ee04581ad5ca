/* listener: see listener.h. */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "values.h"

enum { BACKLOG = 128 }; /* a burst of connections costs none of them a second of waiting */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static enum status listen_at(const union address *address, int *ret_listener)
{
    const int on = 1;
    bool v6 = address->any.sa_family == AF_INET6;
    socklen_t size = v6 ? sizeof address->v6 : sizeof address->v4;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return STATUS_WRITE;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (v6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, &address->any, size) == 0 && listen(fd, BACKLOG) == 0) {
        *ret_listener = fd;
        return STATUS_OK;
    }
    int error = errno;
    close(fd);
    errno = error;
    return STATUS_WRITE;
}

enum status listener_open(const char *word, int *ret_listener, char *message)
{
    uint8_t octets[16] = {0};
    uint16_t port = 0;
    union address address = {0};
    uint8_t version;
    if (!value_read_listen(word, &version, octets, &port)) {
        snprintf(message, MESSAGE_SIZE, "cannot listen at %.100s: not an address and a port", word);
        return STATUS_USAGE;
    }
    if (version == 4) {
        address.v4.sin_family = AF_INET;
        address.v4.sin_port = htons(port);
        memcpy(&address.v4.sin_addr, octets, sizeof address.v4.sin_addr);
    } else {
        address.v6.sin6_family = AF_INET6;
        address.v6.sin6_port = htons(port);
        memcpy(&address.v6.sin6_addr, octets, sizeof address.v6.sin6_addr);
    }
    enum status status = listen_at(&address, ret_listener);
    if (status != STATUS_OK)
        snprintf(message, MESSAGE_SIZE, "cannot listen at %.100s: %s; name another port", word,
                 strerror(errno));
    return status;
}

static bool find_address(int listener, union address *ret_address)
{
    socklen_t size = sizeof *ret_address;
    return getsockname(listener, &ret_address->any, &size) == 0;
}

unsigned listener_port(int listener)
{
    union address address;
    if (!find_address(listener, &address))
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

void listener_name(int listener, char ret_name[LISTENER_NAME])
{
    union address address;
    char text[INET6_ADDRSTRLEN] = "";
    ret_name[0] = '\0';
    if (!find_address(listener, &address))
        return;
    bool v6 = address.any.sa_family == AF_INET6;
    if (v6)
        inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof text);
    else
        inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof text);
    snprintf(ret_name, LISTENER_NAME, "%s%s%s:%u", v6 ? "[" : "", text, v6 ? "]" : "",
             listener_port(listener));
}

/* 127.0.0.0/8 (RFC 1122, 3.2.1.3) and ::1. */
bool listener_is_local(int listener)
{
    enum { LOOPBACK_NET = 127 };
    union address address;
    if (!find_address(listener, &address))
        return false;
    if (address.any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr);
    return ntohl(address.v4.sin_addr.s_addr) >> 24 == LOOPBACK_NET;
}
