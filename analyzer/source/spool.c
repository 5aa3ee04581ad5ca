/* spool: see spool.h. */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct spool {
    FILE *file;
    uint8_t *data; /* of the packet read last */
    uint64_t used, most;
    uint64_t kept, left_out;
    uint64_t read; /* since the last rewind */
    bool full;
};

/* What stands before a packet's octets; read back by the same process only. */
struct spooled {
    struct captured_packet packet; /* its data pointer has no meaning */
    uint64_t number;
};

enum { MOST_OCTETS = 16 << 20 }; /* of one packet: more than any reader delivers */

static FILE *open_nameless(void)
{
    const char *folder = getenv("TMPDIR");
    char name[4096];
    if (folder == NULL || *folder == '\0')
        folder = "/tmp";
    if (snprintf(name, sizeof(name), "%s/lastack-XXXXXX", folder) >= (int)sizeof(name)) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    int descriptor = mkostemp(name, O_CLOEXEC);
    if (descriptor < 0)
        return NULL;
    unlink(name); /* nobody else finds it, and it goes with the process */
    FILE *file = fdopen(descriptor, "w+");
    if (file == NULL)
        close(descriptor);
    return file;
}

enum status spool_new(uint64_t most, struct spool **ret_spool)
{
    struct spool *spool = calloc(1, sizeof(*spool));
    if (spool == NULL)
        return STATUS_NO_MEMORY;
    spool->most = most;
    spool->file = open_nameless();
    if (spool->file == NULL) {
        spool_free(spool);
        return STATUS_WRITE;
    }
    *ret_spool = spool;
    return STATUS_OK;
}

void spool_keep(struct spool *spool, const struct captured_packet *packet, uint64_t number)
{
    struct spooled head;
    uint64_t octets = sizeof(head) + packet->captured;
    if (spool->full || spool->most - spool->used < octets || packet->captured > MOST_OCTETS) {
        spool->full = true;
        spool->left_out++;
        return;
    }
    memset(&head, 0, sizeof(head));
    head.packet = *packet;
    head.packet.data = NULL;
    head.number = number;
    if (fwrite(&head, sizeof(head), 1, spool->file) != 1 ||
        fwrite(packet->data, 1, packet->captured, spool->file) != packet->captured) {
        spool->full = true;
        spool->left_out++;
        return;
    }
    spool->used += octets;
    spool->kept++;
}

enum status spool_rewind(struct spool *spool)
{
    spool->read = 0;
    if (fflush(spool->file) != 0) /* the disk is full: what is there can be read */
        spool->full = true;
    clearerr(spool->file);
    return fseeko(spool->file, 0, SEEK_SET) == 0 ? STATUS_OK : STATUS_WRITE;
}

bool spool_next(struct spool *spool, struct captured_packet *ret_packet, uint64_t *ret_number)
{
    struct spooled head;
    if (spool->read == spool->kept || fread(&head, sizeof(head), 1, spool->file) != 1)
        return false;
    if (head.packet.captured > MOST_OCTETS)
        return false;
    uint8_t *data = realloc(spool->data, (size_t)head.packet.captured + 1);
    if (data == NULL)
        return false;
    spool->data = data;
    if (fread(data, 1, head.packet.captured, spool->file) != head.packet.captured)
        return false;
    spool->read++;
    head.packet.data = data;
    *ret_packet = head.packet;
    *ret_number = head.number;
    return true;
}

uint64_t spool_left_out(const struct spool *spool)
{
    return spool->left_out;
}

void spool_free(struct spool *spool)
{
    if (spool == NULL)
        return;
    if (spool->file != NULL)
        fclose(spool->file);
    free(spool->data);
    free(spool);
}
