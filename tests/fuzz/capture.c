/*
 * Fuzzes the readers of capture files, compressed ones included: the input is the file.  It is read
 * twice, once by name and once through a pipe, which give the same packets; every packet lies in
 * memory of its size, and numbers count up.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../analyzer/source/source.h"
#include "claim.h"

enum { LARGEST_PACKET = 262144, MOST_PACKETS = 20000, PIPE_ROOM = 60000 };

struct reading {
    uint64_t packets, number, sum;
    enum status opened;
    bool damaged;
};

static void add_packet(struct reading *reading, const struct captured_packet *packet)
{
    CLAIM(packet->captured <= LARGEST_PACKET, "%u octets", packet->captured);
    reading->packets++;
    reading->number += 1 + packet->others;
    CLAIM(packet->number == reading->number, "%llu", (unsigned long long)packet->number);
    CLAIM(packet->input == 0, "%u", packet->input);
    uint64_t sum = reading->sum;
    for (uint32_t i = 0; i < packet->captured; i++)
        sum = (sum ^ packet->data[i]) * 1099511628211u;
    sum = (sum ^ packet->length) * 1099511628211u;
    sum = (sum ^ (uint64_t)packet->time) * 1099511628211u;
    reading->sum = (sum ^ (uint64_t)packet->link_type) * 1099511628211u;
}

static void claim_line(const char *text, size_t room)
{
    size_t length = strnlen(text, room);
    CLAIM(length < room, "no end");
    for (size_t i = 0; i < length; i++)
        CLAIM((unsigned char)text[i] >= ' ' && text[i] != 0x7f, "octet %u of %s", text[i], text);
}

static struct reading read_all(const char *name)
{
    struct reading reading = {.sum = 14695981039346656037u};
    const char *const files[] = {name};
    struct source_options options = {.files = files, .file_count = 1, .count = MOST_PACKETS};
    struct source *source;
    char message[MESSAGE_SIZE] = "";
    reading.opened = source_open(&options, &source, message);
    if (reading.opened != STATUS_OK) {
        CLAIM(message[0] != '\0', "no message");
        claim_line(message, sizeof message);
        return reading;
    }
    struct captured_packet packet;
    enum source_result result;
    while ((result = source_next(source, &packet)) != SOURCE_END)
        if (result == SOURCE_PACKET)
            add_packet(&reading, &packet);
    for (size_t i = 0; i < source_input_count(source); i++) {
        const struct source_input *input = source_input(source, i);
        claim_line(input->problem, sizeof input->problem);
        CLAIM(input->damaged || input->problem[0] == '\0' || reading.packets == MOST_PACKETS,
              "%s, and not damaged", input->problem);
        reading.damaged |= input->damaged;
    }
    source_free(source);
    return reading;
}

static void claim_same(const struct reading *file, const struct reading *pipe)
{
    CLAIM(file->packets == pipe->packets, "%llu packets, through a pipe %llu",
          (unsigned long long)file->packets, (unsigned long long)pipe->packets);
    CLAIM(file->sum == pipe->sum, "other packets through a pipe");
    CLAIM(file->damaged == pipe->damaged, "damaged %d, through a pipe %d", file->damaged,
          pipe->damaged);
    CLAIM((file->opened == STATUS_OK) == (pipe->opened == STATUS_OK), "%d and %d",
          (int)file->opened, (int)pipe->opened);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    char name[64];
    int file = memfd_create("capture", MFD_CLOEXEC);
    CLAIM(file >= 0 && write(file, octets, size) == (ssize_t)size, "no memory file");
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    struct reading whole = read_all(name);
    close(file);
    int ends[2];
    if (size >= PIPE_ROOM || pipe2(ends, O_CLOEXEC) != 0)
        return 0;
    CLAIM(write(ends[1], octets, size) == (ssize_t)size, "the pipe is full");
    close(ends[1]);
    snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
    struct reading piped = read_all(name);
    close(ends[0]);
    claim_same(&whole, &piped);
    return 0;
}
