/* service: see service.h. */
#include "service.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Half of what the manager waits for; 0 when it waits for none, or for another process. */
static nanotime find_watchdog(void)
{
    const char *micros = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    if (micros == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    return (nanotime)(strtoull(micros, NULL, 10) / 2) * NANO_PER_MICRO;
}

/* The name of a socket in the file system, or with @ an abstract one. */
static int connect_to(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    if (length < 2 || length >= sizeof address.sun_path || (*name != '/' && *name != '@'))
        return -1;
    memcpy(address.sun_path, name, length);
    if (*name == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&address, size) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void tell(const struct service *service, const char *text)
{
    if (service->fd < 0)
        return;
    ssize_t ignored = send(service->fd, text, strlen(text), MSG_NOSIGNAL);
    (void)ignored; /* a manager that does not listen changes nothing here */
}

struct service service_begin(void)
{
    struct service service = {.fd = -1};
    const char *name = getenv("NOTIFY_SOCKET");
    if (name == NULL)
        return service;
    service.fd = connect_to(name);
    service.watchdog = find_watchdog();
    return service;
}

void service_ready(struct service *service)
{
    tell(service, "READY=1\nSTATUS=capturing");
}

void service_sign(struct service *service, nanotime now, uint64_t packets)
{
    char text[96];
    if (service->fd < 0 || service->watchdog == 0 ||
        time_since(now, service->last_sign) < service->watchdog)
        return;
    service->last_sign = now;
    snprintf(text, sizeof text, "WATCHDOG=1\nSTATUS=%llu packets", (unsigned long long)packets);
    tell(service, text);
}

void service_end(struct service *service)
{
    tell(service, "STOPPING=1\nSTATUS=writing the report");
    if (service->fd >= 0)
        close(service->fd);
    service->fd = -1;
}
