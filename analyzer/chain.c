/* chain: see chain.h. */
#include "chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/carry_rows.h"
#include "input_report.h"
#include "messages.h"

enum { MOST_INPUTS = 1 << 20, LONGEST_NAME = 1 << 16 };

#include "chain_state.def"

/* --- the inputs of the runs so far --- */

static void carry_string(struct carry *carry, const char **text)
{
    const char *copy = carry_text(carry, *text, LONGEST_NAME);
    if (carry_is_reading(carry))
        *text = copy;
}

static void carry_interfaces(struct carry *carry, struct input_summary *input)
{
    uint32_t count = input->interface_count;
    struct interface_summary *list = (struct interface_summary *)input->interfaces;
    if (carry_is_reading(carry)) {
        bool fits = carry_count_fits(carry, count);
        input->interfaces = list = calloc((fits ? count : 0) + (size_t)1, sizeof *list);
        input->interface_count = count = fits && list != NULL ? count : 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        carry_string(carry, &list[i].name);
        carry_string(carry, &list[i].link_type);
        carry_fields(carry, interface_summary_fields, &list[i]);
    }
}

static void carry_inputs(struct carry *carry, struct chain *chain)
{
    if (carry_is_reading(carry)) {
        if (!carry_count_fits(carry, chain->input_count))
            chain->input_count = 0;
        chain->inputs = calloc((size_t)chain->input_count + 1, sizeof *chain->inputs);
        if (chain->inputs == NULL) {
            chain->input_count = 0;
            carry_fail(carry, STATUS_NO_MEMORY);
        }
    }
    for (uint32_t i = 0; i < chain->input_count; i++) {
        struct input_summary *input = &chain->inputs[i];
        carry_string(carry, &input->name);
        carry_string(carry, &input->format);
        carry_string(carry, &input->compression);
        carry_fields(carry, input_summary_fields, input);
        input->problem[sizeof input->problem - 1] = '\0';
        carry_interfaces(carry, input);
        if (carry_is_reading(carry) && carry_is_sound(carry) && input->name == NULL)
            carry_fail(carry, STATUS_UNREADABLE);
    }
}

static void carry_reading(struct carry *carry, struct chain *chain)
{
    carry_fields(carry, chain_fields, chain);
    carry_inputs(carry, chain);
}

/* --- the state of the run before --- */

static enum status status_of_errno(void)
{
    return errno == ENOENT ? STATUS_NOT_FOUND : errno == EACCES ? STATUS_DENIED : STATUS_UNREADABLE;
}

/* What is wrong with the state, behind its name. */
static enum status refuse(const char *file, enum status status, const char *why, char *message)
{
    snprintf(message, MESSAGE_SIZE, "--state-in %.120s: %.370s", file, why);
    return status;
}

/* The checksum fits, and yet it is not what this build writes. */
static enum status refuse_foreign(const struct chain *chain, const char *file, char *message)
{
    if (carry_is_sound(chain->carry))
        return STATUS_OK;
    if (carry_end(chain->carry) == STATUS_NO_MEMORY)
        return STATUS_NO_MEMORY;
    return refuse(file, STATUS_UNREADABLE,
                  "was written by another build of lastack, whose states this one does not read; "
                  "write it again with this one",
                  message);
}

static enum status open_in(struct chain *chain, const char *file, char *message)
{
    char why[MESSAGE_SIZE] = "";
    struct stat there;
    chain->in = fopen(file, "re");
    if (chain->in == NULL || fstat(fileno(chain->in), &there) != 0)
        return refuse(file, status_of_errno(), strerror(errno), message);
    if (S_ISDIR(there.st_mode))
        return refuse(file, STATUS_UNREADABLE, strerror(EISDIR), message);
    enum status status = carry_read(chain->in, &chain->carry, why);
    if (status != STATUS_OK)
        return refuse(file, status, why, message);
    carry_reading(chain->carry, chain);
    return refuse_foreign(chain, file, message);
}

enum status chain_resume(struct chain *chain, const struct options *options,
                         struct analyzer *analyzer, struct outputs *outputs, char *message)
{
    char why[MESSAGE_SIZE] = "";
    if (chain->carry == NULL)
        return STATUS_OK;
    enum status status = analyzer_carry(analyzer, chain->carry, why);
    if (status == STATUS_OK && carry_is_sound(chain->carry))
        status = outputs_carry(outputs, chain->carry, why);
    if (status != STATUS_OK)
        return refuse(options->state_in, status, why, message);
    if (carry_end(chain->carry) != STATUS_OK)
        carry_fail(chain->carry, STATUS_UNREADABLE);
    return refuse_foreign(chain, options->state_in, message);
}

void chain_check_order(const struct chain *chain, nanotime first)
{
    const struct input_summary *latest = NULL;
    for (uint32_t i = 0; i < chain->input_count; i++) {
        const struct input_summary *input = &chain->inputs[i];
        bool later = latest == NULL || time_is_before(latest->last, input->last);
        if (input->last != NANOTIME_UNKNOWN && later)
            latest = input;
    }
    nanotime back = latest == NULL ? 0 : time_since(latest->last, first);
    if (back <= NANO_PER_SECOND) /* packets of several queues are a little out of order anyway */
        return;
    message_print("the first packet is %.6f s older than the last one of %s, which the state has "
                  "already: give the pieces of a capture in their order, and each once",
                  (double)back / NANO_PER_SECOND, latest->name);
}

/* --- the state for the run after --- */

static enum status refuse_out(const char *file, char *message)
{
    snprintf(message, MESSAGE_SIZE, "--state-out %.200s: cannot write it: %s", file,
             strerror(errno));
    return STATUS_WRITE;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && S_ISREG(first.st_mode) &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

static enum status check_out(const struct options *options, char *message)
{
    for (size_t i = 0; i < options->file_count; i++) {
        if (!is_same_file(options->state_out, options->files[i]))
            continue;
        snprintf(message, MESSAGE_SIZE,
                 "--state-out %.300s is read: writing to it would destroy it; name another file",
                 options->state_out);
        return STATUS_USAGE;
    }
    return STATUS_OK;
}

/* A device or pipe is written as it is; anything else under a name of its own first. */
static enum status open_out(struct chain *chain, const struct options *options, char *message)
{
    const char *file = options->state_out;
    struct stat there;
    enum status status = check_out(options, message);
    if (status != STATUS_OK)
        return status;
    if (stat(file, &there) == 0 && !S_ISREG(there.st_mode)) {
        chain->out = fopen(file, "we");
        return chain->out == NULL ? refuse_out(file, message) : STATUS_OK;
    }
    if (asprintf(&chain->written_as, "%s.XXXXXX", file) < 0) {
        chain->written_as = NULL;
        return STATUS_NO_MEMORY;
    }
    int descriptor = mkostemp(chain->written_as, O_CLOEXEC);
    chain->out = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (chain->out != NULL)
        return STATUS_OK;
    status = refuse_out(file, message);
    free(chain->written_as);
    chain->written_as = NULL;
    return status;
}

/* With the rights of any new file: mkostemp(3) gives them to nobody else. */
static bool open_to_others(FILE *out)
{
    mode_t mask = umask(0);
    umask(mask);
    return fchmod(fileno(out), 0666 & ~mask) == 0;
}

/* A device or pipe keeps the rights it has. */
static bool finish_out(struct chain *chain, const char *file)
{
    bool written = chain->written_as == NULL || open_to_others(chain->out);
    FILE *out = chain->out;
    chain->out = NULL;
    written = fclose(out) == 0 && written;
    if (!written || chain->written_as == NULL)
        return written;
    written = rename(chain->written_as, file) == 0;
    if (written) {
        free(chain->written_as);
        chain->written_as = NULL;
    }
    return written;
}

static enum status write_out(struct carry *carry, const struct chain *chain, struct source *source,
                             struct analyzer *analyzer, struct outputs *outputs)
{
    struct input_report report;
    char ignored[MESSAGE_SIZE];
    struct chain next = {.place = source_place(source)};
    enum status status = input_report_make(&source, 1, chain, &report);
    if (status != STATUS_OK)
        return status;
    next.inputs = report.inputs;
    next.input_count = report.count;
    next.drops_known = report.drops_known;
    memcpy(next.drops, report.drops, sizeof next.drops);
    carry_reading(carry, &next);
    input_report_clear(&report);
    analyzer_carry(analyzer, carry, ignored);
    outputs_carry(outputs, carry, ignored);
    return carry_end(carry);
}

enum status chain_hand_on(struct chain *chain, const struct options *options, struct source *source,
                          struct analyzer *analyzer, struct outputs *outputs, char *message)
{
    struct carry *carry = carry_write(chain->out);
    enum status status =
        carry == NULL ? STATUS_NO_MEMORY : write_out(carry, chain, source, analyzer, outputs);
    carry_free(carry);
    if (status == STATUS_OK && !finish_out(chain, options->state_out))
        status = STATUS_WRITE;
    return status == STATUS_WRITE ? refuse_out(options->state_out, message) : status;
}

enum status chain_open(struct chain *chain, const struct options *options, char *message)
{
    enum status status = STATUS_OK;
    if (options->state_in != NULL)
        status = open_in(chain, options->state_in, message);
    if (status == STATUS_OK && options->state_out != NULL)
        status = open_out(chain, options, message);
    return status;
}

static void clear_inputs(struct chain *chain)
{
    for (uint32_t i = 0; i < chain->input_count; i++) {
        struct input_summary *input = &chain->inputs[i];
        for (uint32_t k = 0; k < input->interface_count; k++) {
            free((char *)input->interfaces[k].name);
            free((char *)input->interfaces[k].link_type);
        }
        free((struct interface_summary *)input->interfaces);
        free((char *)input->name);
        free((char *)input->format);
        free((char *)input->compression);
    }
    free(chain->inputs);
}

void chain_clear(struct chain *chain)
{
    clear_inputs(chain);
    carry_free(chain->carry);
    if (chain->in != NULL)
        fclose(chain->in);
    if (chain->out != NULL)
        fclose(chain->out);
    if (chain->written_as != NULL)
        unlink(chain->written_as);
    free(chain->written_as);
}
