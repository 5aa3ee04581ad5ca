/* guard: see guard.h. */
#include "guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "values.h"

enum { DRAWN = 16 /* octets: 128 bits */, NAME_SIZE = 256 };

/* RFC 9110, 7.2: the host without its port, and an IPv6 address without its brackets. */
static bool cut_host(const char *host, char ret_name[NAME_SIZE])
{
    bool bracketed = host[0] == '[';
    const char *name = host + bracketed;
    size_t length = strcspn(name, bracketed ? "]" : ":");
    const char *rest = name + length;
    if (bracketed && *rest++ != ']')
        return false;
    if (length == 0 || length >= NAME_SIZE ||
        (*rest != '\0' && (*rest != ':' || strspn(rest + 1, "0123456789") != strlen(rest + 1))))
        return false;
    memcpy(ret_name, name, length);
    ret_name[length] = '\0';
    return true;
}

/* Such a name is never looked up elsewhere (RFC 6761, 6.3), and an address is no name. */
bool guard_is_own_name(const char *host)
{
    static const char local[] = "localhost";
    char name[NAME_SIZE];
    uint8_t address[16];
    if (host == NULL || !cut_host(host, name))
        return false;
    return strcasecmp(name, local) == 0 || inet_pton(AF_INET, name, address) == 1 ||
           inet_pton(AF_INET6, name, address) == 1;
}

/* Whether a script that asks belongs to the page that came from here. */
static bool is_same_site(const struct guard_request *request)
{
    static const char scheme[] = "://";
    if (request->site != NULL && strcmp(request->site, "same-origin") != 0 &&
        strcmp(request->site, "none") != 0)
        return false;
    if (request->origin == NULL)
        return true;
    const char *host = strstr(request->origin, scheme);
    return host != NULL && request->host != NULL &&
           strcasecmp(host + strlen(scheme), request->host) == 0;
}

/* In a time that does not tell how much of it is right. */
static bool is_token(const char *token, const char *given)
{
    if (given == NULL)
        return false;
    size_t length = strlen(token), other = strlen(given);
    volatile unsigned differs = length != other;
    for (size_t i = 0; i < length; i++)
        differs |= (unsigned)(token[i] ^ given[i < other ? i : other]);
    return differs == 0;
}

static const char *token_of(const char *bearer)
{
    static const char scheme[] = "Bearer ";
    return bearer != NULL && strncasecmp(bearer, scheme, strlen(scheme)) == 0
               ? bearer + strlen(scheme)
               : NULL;
}

enum guard_verdict guard_look(const char *token, const struct guard_request *request)
{
    bool needs_token = token[0] != '\0';
    bool shows_token =
        needs_token && (is_token(token, request->token) || is_token(token, request->cookie) ||
                        is_token(token, token_of(request->bearer)));
    if (!is_same_site(request) || (!shows_token && !guard_is_own_name(request->host)))
        return GUARD_FOREIGN;
    return needs_token && !shows_token ? GUARD_NO_TOKEN : GUARD_WELCOME;
}

enum status guard_draw_token(char ret_token[GUARD_TOKEN])
{
    uint8_t octets[DRAWN];
    if (getrandom(octets, sizeof octets, 0) != (ssize_t)sizeof octets)
        return STATUS_DENIED;
    for (size_t i = 0; i < sizeof octets; i++)
        snprintf(ret_token + 2 * i, 3, "%02x", octets[i]);
    return STATUS_OK;
}

static bool is_fit(const char *token)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen(token);
    return length >= GUARD_LEAST && length <= GUARD_MOST && strspn(token, allowed) == length;
}

enum status guard_read_token(const char *file, char ret_token[GUARD_TOKEN], char *message)
{
    char line[GUARD_MOST + 3] = "";
    FILE *stream = fopen(file, "re");
    if (stream == NULL) {
        snprintf(message, MESSAGE_SIZE, "--http-token %.200s: cannot read it: %s", file,
                 strerror(errno));
        return STATUS_USAGE;
    }
    bool read = fgets(line, sizeof line, stream) != NULL;
    fclose(stream);
    line[strcspn(line, "\r\n")] = '\0';
    if (!read || !is_fit(line)) {
        snprintf(message, MESSAGE_SIZE,
                 "--http-token %.200s: its first line must be a token of %d to %d letters, digits, "
                 "hyphens, points and underscores; openssl rand -hex 16 makes one",
                 file, GUARD_LEAST, GUARD_MOST);
        return STATUS_USAGE;
    }
    memcpy(ret_token, line, strlen(line) + 1);
    return STATUS_OK;
}
