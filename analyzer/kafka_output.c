/* kafka_output: see kafka_output.h. */
#include "kafka_output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kafka_sender.h"
#include "messages.h"
#include "privileges.h"

enum { PIPE_SIZE = 1 << 20, MOMENT = 500 /* ms */, PATH_SIZE = 4096, WORD = 24 };

struct kafka_output {
    struct kafka_options options;
    FILE *stream;
    int lines;  /* to the sender */
    int result; /* from it, at its end */
    char *rest; /* of a line that went in part; owned */
    size_t rest_length;
    uint64_t left_out; /* lines */
    bool stuck, said;  /* the sender took nothing lately; and lines were left out for it */
};

/* --- the line to the sender --- */

/* Gives a sender that did take lines until now a moment; one that does not is not waited for
 * again until it takes some. */
static bool wait_for_sender(struct kafka_output *output)
{
    struct pollfd room = {.fd = output->lines, .events = POLLOUT};
    if (!output->stuck && poll(&room, 1, MOMENT) > 0)
        return true;
    output->stuck = true;
    errno = EAGAIN;
    return false;
}

/* Writes what goes; the sender's death is EPIPE.  Returns the octets that went. */
static size_t write_some(struct kafka_output *output, const char *text, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t written = write(output->lines, text + done, length - done);
        if (written < 0 && (errno == EINTR || (errno == EAGAIN && wait_for_sender(output))))
            continue;
        if (written <= 0)
            break;
        done += (size_t)written;
        output->stuck = false;
    }
    return done;
}

/* True when no line stands in the way half-written. */
static bool write_rest(struct kafka_output *output)
{
    if (output->rest_length == 0)
        return true;
    size_t done = write_some(output, output->rest, output->rest_length);
    memmove(output->rest, output->rest + done, output->rest_length - done);
    output->rest_length -= done;
    return output->rest_length == 0;
}

static void leave_out(struct kafka_output *output, const char *text, size_t length)
{
    for (const char *end = text + length; (text = memchr(text, '\n', (size_t)(end - text))); text++)
        output->left_out++;
    if (!output->said)
        message_print("kafka: what sends records does not keep up; some are left out");
    output->said = true;
}

/* Keeps the rest of a line that went in part; the lines behind it are left out. */
static void keep_rest(struct kafka_output *output, const char *text, size_t done, size_t length)
{
    bool within = done > 0 && text[done - 1] != '\n';
    const char *end = within ? memchr(text + done, '\n', length - done) : NULL;
    size_t rest = end == NULL ? 0 : (size_t)(end - text) + 1 - done;
    char *kept = rest == 0 ? NULL : realloc(output->rest, rest);
    if (kept != NULL) {
        memcpy(kept, text + done, rest);
        output->rest = kept;
        output->rest_length = rest;
        done += rest;
    }
    leave_out(output, text + done, length - done);
}

/* Below the stream: whole lines. */
static ssize_t write_lines(void *context, const char *text, size_t length)
{
    struct kafka_output *output = context;
    errno = 0;
    size_t done = write_rest(output) ? write_some(output, text, length) : 0;
    if (done < length && errno != EAGAIN) {
        errno = EIO; /* the sender is gone: not as a reader goes, who has enough */
        return 0;
    }
    if (done < length)
        keep_rest(output, text, done, length);
    return (ssize_t)length;
}

static void end_lines(struct kafka_output *output)
{
    int flags = fcntl(output->lines, F_GETFL);
    fcntl(output->lines, F_SETFL, flags & ~O_NONBLOCK);
    write_rest(output);
    close(output->lines);
    output->lines = -1;
}

static bool read_result(const struct kafka_output *output, struct kafka_result *ret_result)
{
    ssize_t size;
    do
        size = read(output->result, ret_result, sizeof *ret_result);
    while (size < 0 && errno == EINTR);
    return size == sizeof *ret_result;
}

static int close_lines(void *context)
{
    struct kafka_output *output = context;
    struct kafka_result result = {0};
    end_lines(output);
    bool told = read_result(output, &result);
    uint64_t missing = output->left_out + result.left_out;
    if (told && (output->options.verbose || missing > 0))
        message_print("kafka: %llu records delivered to %s, %llu left out",
                      (unsigned long long)result.delivered, output->options.topic,
                      (unsigned long long)missing);
    if (!told)
        message_print("kafka: what sends records ended before its time; how many arrived is not "
                      "known");
    errno = told ? ENOBUFS : EIO;
    return told && missing == 0 ? 0 : -1;
}

/* --- the process --- */

#ifdef HAVE_RDKAFKA
static const bool is_built = true;
#else
static const bool is_built = false;
#endif

/* Beside this program, as where it was built; else where it is installed. */
static void run_sender(char *const *words)
{
    static const char name[] = "lastack-kafka";
    char path[PATH_SIZE];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - sizeof name);
    path[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(path, '/');
    if (slash != NULL) {
        memcpy(slash + 1, name, sizeof name);
        execv(path, words);
    }
    execv(LASTACK_LIBEXEC "/lastack-kafka", words);
    message_print("kafka: cannot run %s/%s: %s", LASTACK_LIBEXEC, name, strerror(errno));
}

/* Nothing is open in it but its lines, the result, and what messages go to. */
static bool place_descriptors(int lines, int result)
{
    enum { FIRST_OTHER = KAFKA_RESULT + 1 };
    int input = fcntl(lines, F_DUPFD, FIRST_OTHER), output = fcntl(result, F_DUPFD, FIRST_OTHER);
    int nothing = open("/dev/null", O_WRONLY);
    return input >= 0 && output >= 0 && nothing >= 0 && dup2(input, STDIN_FILENO) >= 0 &&
           dup2(nothing, STDOUT_FILENO) >= 0 && dup2(output, KAFKA_RESULT) >= 0 &&
           close_range(FIRST_OTHER, ~0U, 0) == 0;
}

/* In the new process: with the rights that a live capture keeps. */
static void become_sender(const struct kafka_options *options, int lines, int result)
{
    char message[MESSAGE_SIZE] = "", queue[WORD], wait[WORD], name[] = "lastack-kafka",
         live[] = "live";
    struct privileges privileges = {.user = options->user};
    enum status status = STATUS_OK;
    snprintf(queue, sizeof queue, "%llu", (unsigned long long)options->queue);
    snprintf(wait, sizeof wait, "%lld", (long long)(options->wait / NANO_PER_MILLI));
    char *const words[] = {name,
                           (char *)(uintptr_t)options->brokers,
                           (char *)(uintptr_t)options->topic,
                           queue,
                           wait,
                           options->live ? live : NULL,
                           NULL};
    if (options->live)
        status = privileges_find_user(&privileges, message);
    if (status == STATUS_OK && options->live)
        status = privileges_become(&privileges, message);
    if (status != STATUS_OK)
        message_print("kafka: %s", message);
    else if (place_descriptors(lines, result))
        run_sender(words);
    _exit(127);
}

static enum status make_process(struct kafka_output *output, char *message)
{
    int lines[2], result[2];
    if (pipe2(lines, O_CLOEXEC) != 0 || pipe2(result, O_CLOEXEC) != 0) {
        snprintf(message, MESSAGE_SIZE, "--kafka: cannot make a pipe: %s", strerror(errno));
        return STATUS_WRITE;
    }
    fcntl(lines[1], F_SETPIPE_SZ, PIPE_SIZE);
    pid_t child = fork();
    if (child == 0)
        become_sender(&output->options, lines[0], result[1]);
    close(lines[0]);
    close(result[1]);
    output->lines = lines[1];
    output->result = result[0];
    if (output->options.live)
        fcntl(lines[1], F_SETFL, O_NONBLOCK);
    if (child > 0)
        return STATUS_OK;
    snprintf(message, MESSAGE_SIZE, "--kafka: cannot make a process: %s", strerror(errno));
    return STATUS_WRITE;
}

enum status kafka_output_open(const struct kafka_options *options, struct kafka_output **ret_output,
                              char *message)
{
    const cookie_io_functions_t functions = {.write = write_lines, .close = close_lines};
    struct kafka_output *output = calloc(1, sizeof *output);
    if (output == NULL)
        return STATUS_NO_MEMORY;
    output->options = *options;
    output->lines = output->result = -1;
    enum status status = make_process(output, message);
    if (status == STATUS_OK)
        output->stream = fopencookie(output, "w", functions);
    if (status == STATUS_OK && output->stream == NULL)
        status = STATUS_NO_MEMORY;
    if (status != STATUS_OK) {
        kafka_output_free(output);
        return status;
    }
    setvbuf(output->stream, NULL, _IONBF, 0); /* a write of a sink is one of write_lines */
    *ret_output = output;
    return STATUS_OK;
}

bool kafka_output_is_built_in(void)
{
    return is_built;
}

FILE *kafka_output_stream(struct kafka_output *output)
{
    return output->stream;
}

void kafka_output_free(struct kafka_output *output)
{
    if (output == NULL)
        return;
    if (output->lines >= 0)
        close(output->lines);
    if (output->result >= 0)
        close(output->result);
    free(output->rest);
    free(output);
}
