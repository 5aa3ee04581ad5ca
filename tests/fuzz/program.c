/* program: see program.h. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../analyzer/analysis.h"
#include "../../analyzer/merge.h"
#include "claim.h"
#include "schema_check.h"

enum { PIPE_ROOM = 1 << 20 };

void octets_clear(struct octets *octets)
{
    free(octets->at);
    *octets = (struct octets){NULL, 0};
}

struct memory_file memory_file_new(const void *octets, size_t count)
{
    struct memory_file file = {.descriptor = memfd_create("file", MFD_CLOEXEC)};
    CLAIM(file.descriptor >= 0, "no memory file: %s", strerror(errno));
    CLAIM(write(file.descriptor, octets, count) == (ssize_t)count, "%s", strerror(errno));
    snprintf(file.name, sizeof file.name, "/proc/self/fd/%d", file.descriptor);
    return file;
}

struct octets memory_file_read(const struct memory_file *file)
{
    struct stat status;
    CLAIM(fstat(file->descriptor, &status) == 0, "%s", strerror(errno));
    struct octets octets = {calloc(1, (size_t)status.st_size + 1), (size_t)status.st_size};
    CLAIM(octets.at != NULL, "no memory");
    CLAIM(pread(file->descriptor, octets.at, octets.count, 0) == status.st_size, "%s",
          strerror(errno));
    return octets;
}

void memory_file_free(struct memory_file *file)
{
    close(file->descriptor);
}

static void put_numbers(FILE *stream, const uint32_t *number, size_t count)
{
    fwrite(number, sizeof *number, count, stream);
}

struct memory_file memory_file_of_packets(const struct packets *packets, size_t from, size_t until)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    CLAIM(stream != NULL, "no memory");
    put_numbers(stream, (uint32_t[]){0xa1b23c4d, 2 | 4 << 16, 0, 0, 262144, 1}, 6);
    for (size_t i = from; i < until; i++) {
        const struct analyzer_packet *packet = &packets->packet[i];
        put_numbers(stream,
                    (uint32_t[]){(uint32_t)(packet->time / NANO_PER_SECOND),
                                 (uint32_t)(packet->time % NANO_PER_SECOND), packet->captured,
                                 packet->length},
                    4);
        fwrite(packet->data, 1, packet->captured, stream);
    }
    fclose(stream);
    struct memory_file file = memory_file_new(text, size);
    free(text);
    return file;
}

struct memory_pipe memory_pipe_new(void)
{
    struct memory_pipe made;
    int ends[2];
    CLAIM(pipe2(ends, O_CLOEXEC) == 0, "no pipe: %s", strerror(errno));
    CLAIM(fcntl(ends[1], F_SETPIPE_SZ, PIPE_ROOM) >= PIPE_ROOM, "%s", strerror(errno));
    made.reading = ends[0];
    made.writing = ends[1];
    snprintf(made.name, sizeof made.name, "/proc/self/fd/%d", made.writing);
    return made;
}

struct octets memory_pipe_take(struct memory_pipe *pipe)
{
    struct octets octets = {malloc(PIPE_ROOM), 0};
    CLAIM(octets.at != NULL, "no memory");
    close(pipe->writing);
    ssize_t got;
    while ((got = read(pipe->reading, octets.at + octets.count, PIPE_ROOM - octets.count)) > 0)
        octets.count += (size_t)got;
    close(pipe->reading);
    return octets;
}

static void claim_said(const char *said, int exit_status)
{
    CLAIM(exit_status >= EXIT_DONE && exit_status <= EXIT_UNWRITTEN, "%d", exit_status);
    CLAIM(exit_status == EXIT_DONE || said[0] != '\0', "exit %d without a word", exit_status);
    for (const char *at = said; *at != '\0'; at += strcspn(at, "\n") + 1) {
        CLAIM(strncmp(at, "lastack: ", 9) == 0, "%s", said);
        CLAIM(strchr(at, '\n') != NULL, "half a line: %s", said);
    }
    for (const char *at = said; *at != '\0'; at++)
        CLAIM((unsigned char)*at >= ' ' || *at == '\n', "octet %d of %s", *at, said);
}

static int act(int count, char **words)
{
    struct options options;
    char message[MESSAGE_SIZE] = "";
    enum status status = options_parse(count, words, &options, message);
    CLAIM(status == STATUS_OK, "%s", message);
    int exit_status =
        (int)(options.action == ACTION_MERGE ? merge_run(&options) : analysis_run(&options));
    options_clear(&options);
    return exit_status;
}

int program_run(const char *const *words)
{
    char *copy[PROGRAM_WORDS + 2] = {strdup("lastack")}, *said = NULL;
    int count = 1;
    size_t size = 0;
    for (; words[count - 1] != NULL; count++) {
        CLAIM(count <= PROGRAM_WORDS, "%d", count);
        copy[count] = strdup(words[count - 1]);
    }
    FILE *before = stderr;
    stderr = open_memstream(&said, &size);
    int exit_status = act(count, copy);
    fclose(stderr);
    stderr = before;
    claim_said(said, exit_status);
    free(said);
    for (int i = 0; i < count; i++)
        free(copy[i]);
    return exit_status;
}

/* As in run.c: reading the schema takes longer than most inputs. */
static struct schema *schema;

void program_claim_lines(const struct octets *text)
{
    const char *at = (const char *)text->at, *end = at + text->count;
    if (schema == NULL)
        schema = schema_new();
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        CLAIM(line_end != NULL, "half a line: %s", at);
        schema_claim_line(schema, at, (size_t)(line_end - at));
        at = line_end + 1;
    }
}
