/* carry: see carry.h. */
#include "carry.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "time.h"

enum {
    FORMAT = 5,
    CHECKSUM = 8,       /* octets */
    TABLES = 128,       /* that a state may use */
    NUMBER_OCTETS = 10, /* of a number of 64 bits, 7 bits an octet */
};

static const char magic[] = "lastack state\n";

struct carry {
    FILE *stream;    /* not owned; NULL: in memory */
    uint8_t *memory; /* the next octet there */
    bool reading;
    enum status status;
    uint64_t sum;                            /* writing: of all so far */
    uint64_t left;                           /* reading: octets of the body that are left */
    const struct carry_field *known[TABLES]; /* tables whose hash was carried */
    uint32_t tables;
};

/* FNV-1a, 64 bits: every octet that differs makes another sum. */
static uint64_t sum_of(uint64_t sum, const uint8_t *octets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sum = (sum ^ octets[i]) * UINT64_C(0x100000001b3);
    return sum;
}

static const uint64_t empty_sum = UINT64_C(0xcbf29ce484222325);

void carry_fail(struct carry *carry, enum status status)
{
    if (carry->status == STATUS_OK)
        carry->status = status;
}

bool carry_is_reading(const struct carry *carry)
{
    return carry->reading;
}

bool carry_is_sound(const struct carry *carry)
{
    return carry->status == STATUS_OK;
}

/* In memory `left` is what is left of the room. */
static void put_in_memory(struct carry *carry, const uint8_t *octets, size_t count)
{
    if (count > carry->left) {
        carry_fail(carry, STATUS_WRITE);
        return;
    }
    memcpy(carry->memory, octets, count);
    carry->memory += count;
    carry->left -= count;
}

static void put(struct carry *carry, const uint8_t *octets, size_t count)
{
    if (carry->stream == NULL) {
        put_in_memory(carry, octets, count);
        return;
    }
    carry->sum = sum_of(carry->sum, octets, count);
    if (carry->status == STATUS_OK && fwrite_unlocked(octets, 1, count, carry->stream) != count)
        carry_fail(carry, STATUS_WRITE);
}

static bool get_from_memory(struct carry *carry, uint8_t *octets, size_t count)
{
    memcpy(octets, carry->memory, count);
    carry->memory += count;
    return true;
}

static void get(struct carry *carry, uint8_t *octets, size_t count)
{
    bool there = carry->status == STATUS_OK && count <= carry->left;
    if (there && carry->stream == NULL)
        there = get_from_memory(carry, octets, count);
    else if (there)
        there = fread_unlocked(octets, 1, count, carry->stream) == count;
    if (there) {
        carry->left -= count;
        return;
    }
    carry_fail(carry, STATUS_UNREADABLE);
    memset(octets, 0, count);
}

static void put_number(struct carry *carry, uint64_t number)
{
    uint8_t octets[NUMBER_OCTETS];
    size_t count = 0;
    while (number > 0x7f) {
        octets[count++] = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    octets[count++] = (uint8_t)number;
    put(carry, octets, count);
}

static uint64_t get_number(struct carry *carry)
{
    uint64_t number = 0;
    uint8_t octet = 0x80;
    for (unsigned bits = 0; (octet & 0x80) != 0; bits += 7) {
        if (bits > 63) {
            carry_fail(carry, STATUS_UNREADABLE);
            return 0;
        }
        get(carry, &octet, 1);
        number |= (uint64_t)(octet & 0x7f) << bits;
    }
    return number;
}

void carry_number(struct carry *carry, uint64_t *number, uint64_t most)
{
    if (!carry->reading) {
        put_number(carry, *number);
        return;
    }
    *number = get_number(carry);
    if (*number <= most)
        return;
    carry_fail(carry, STATUS_UNREADABLE);
    *number = 0;
}

void carry_signed(struct carry *carry, int64_t *number)
{
    uint64_t folded = (uint64_t)*number << 1 ^ (*number < 0 ? UINT64_MAX : 0);
    carry_number(carry, &folded, UINT64_MAX);
    *number = (int64_t)(folded >> 1 ^ ((folded & 1) != 0 ? UINT64_MAX : 0));
}

void carry_flag(struct carry *carry, bool *flag)
{
    uint64_t number = *flag;
    carry_number(carry, &number, 1);
    *flag = number != 0;
}

void carry_octets(struct carry *carry, void *octets, size_t count)
{
    if (carry->reading)
        get(carry, octets, count);
    else
        put(carry, octets, count);
}

bool carry_count_fits(struct carry *carry, uint64_t count)
{
    if (carry->reading && count > carry->left)
        carry_fail(carry, STATUS_UNREADABLE);
    return carry->status == STATUS_OK;
}

uint32_t carry_count(struct carry *carry, uint32_t count, uint32_t most)
{
    uint64_t number = count;
    carry_number(carry, &number, most);
    return carry_count_fits(carry, number) || !carry->reading ? (uint32_t)number : 0;
}

/* --- tables --- */

/* What a table says, so that another one is told apart. */
static uint64_t hash_table(const struct carry_field *fields)
{
    uint64_t sum = empty_sum;
    for (; fields->name != NULL; fields++) {
        uint64_t row[] = {fields->count, fields->most, (uint64_t)fields->kind,
                          fields->kind == CARRY_PARTS ? 0 : fields->width};
        sum = sum_of(sum, (const uint8_t *)fields->name, strlen(fields->name));
        sum = hash_identity((uint64_t[]){sum, hash_identity(row, 4)}, 2);
    }
    return sum;
}

/* At a table's first use: it is the one that the state was written with. */
static void agree_on(struct carry *carry, const struct carry_field *fields)
{
    if (carry->stream == NULL)
        return;
    for (uint32_t i = 0; i < carry->tables; i++) {
        if (carry->known[i] == fields)
            return;
    }
    uint64_t mine = hash_table(fields), theirs = mine;
    carry_number(carry, &theirs, UINT64_MAX);
    if (mine != theirs || carry->tables == TABLES)
        carry_fail(carry, STATUS_UNREADABLE);
    else
        carry->known[carry->tables++] = fields;
}

/* An element of 1, 2, 4 or 8 octets; one with a sign has 8. */
static uint64_t load(const void *at, size_t width)
{
    uint64_t number = 0;
    uint32_t word;
    uint16_t half;
    if (width == 1)
        return *(const uint8_t *)at;
    if (width == 8)
        memcpy(&number, at, sizeof(number));
    else if (width == 4)
        number = *(uint32_t *)memcpy(&word, at, sizeof(word));
    else
        number = *(uint16_t *)memcpy(&half, at, sizeof(half));
    return number;
}

static void store(void *at, size_t width, uint64_t number)
{
    uint32_t word = (uint32_t)number;
    uint16_t half = (uint16_t)number;
    if (width == 1)
        *(uint8_t *)at = (uint8_t)number;
    else if (width == 8)
        memcpy(at, &number, sizeof(number));
    else if (width == 4)
        memcpy(at, &word, sizeof(word));
    else
        memcpy(at, &half, sizeof(half));
}

static uint64_t limit_of(const struct carry_field *field)
{
    uint64_t widest = field->width == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * field->width) - 1;
    return field->most < widest ? field->most : widest;
}

/* Read, a moment that is always known is. */
static void carry_time(struct carry *carry, const struct carry_field *field, uint64_t *number)
{
    carry_signed(carry, (int64_t *)number);
    if (field->most > 0 && carry->reading && (nanotime)*number == NANOTIME_UNKNOWN)
        carry_fail(carry, STATUS_UNREADABLE);
}

static void carry_element(struct carry *carry, const struct carry_field *field, uint8_t *at)
{
    uint64_t number = load(at, field->width);
    if (field->kind == CARRY_SIGNED)
        carry_time(carry, field, &number);
    else
        carry_number(carry, &number, limit_of(field));
    if (carry->reading)
        store(at, field->width, number);
}

static void carry_parts(struct carry *carry, const struct carry_field *fields, uint8_t *object);

static void carry_field(struct carry *carry, const struct carry_field *field, uint8_t *at)
{
    if (field->kind == CARRY_OCTETS) {
        carry_octets(carry, at, field->width * field->count);
        return;
    }
    for (size_t i = 0; i < field->count; i++, at += field->width) {
        if (field->kind == CARRY_PARTS)
            carry_parts(carry, field->parts, at);
        else
            carry_element(carry, field, at);
    }
}

static void carry_parts(struct carry *carry, const struct carry_field *fields, uint8_t *object)
{
    agree_on(carry, fields);
    for (; fields->name != NULL; fields++)
        carry_field(carry, fields, object + fields->offset);
}

void carry_fields(struct carry *carry, const struct carry_field *fields, void *object)
{
    carry_parts(carry, fields, object);
}

size_t carry_pack(const struct carry_field *fields, void *object, uint8_t *octets, size_t room)
{
    struct carry carry = {.memory = octets, .left = room};
    carry_fields(&carry, fields, object);
    return carry_is_sound(&carry) ? room - (size_t)carry.left : 0;
}

size_t carry_unpack(const struct carry_field *fields, void *object, const uint8_t *octets,
                    size_t count)
{
    struct carry carry = {.memory = (uint8_t *)octets, .left = count, .reading = true};
    carry_fields(&carry, fields, object);
    return carry_is_sound(&carry) ? count - (size_t)carry.left : 0;
}

void *carry_optional(struct carry *carry, void *block, size_t size,
                     const struct carry_field *fields)
{
    bool is_there = block != NULL;
    carry_flag(carry, &is_there);
    if (!is_there)
        return NULL;
    if (carry->reading)
        block = calloc(1, size);
    if (block == NULL) {
        carry_fail(carry, STATUS_NO_MEMORY);
        return NULL;
    }
    carry_fields(carry, fields, block);
    return block;
}

char *carry_text(struct carry *carry, const char *text, size_t most)
{
    uint64_t length = text == NULL ? 0 : strlen(text) + 1; /* with its NUL; 0: there is none */
    carry_number(carry, &length, most);
    if (length == 0)
        return NULL;
    if (!carry->reading) {
        put(carry, (const uint8_t *)text, length);
        return NULL;
    }
    char *copy = malloc(length);
    if (copy == NULL) {
        carry_fail(carry, STATUS_NO_MEMORY);
        return NULL;
    }
    get(carry, (uint8_t *)copy, length);
    if (copy[length - 1] != '\0')
        carry_fail(carry, STATUS_UNREADABLE);
    copy[length - 1] = '\0';
    return copy;
}

struct carry_mark carry_mark(const struct carry *carry)
{
    return (struct carry_mark){carry->left, carry->tables};
}

void carry_rewind(struct carry *carry, struct carry_mark mark)
{
    long back = (long)(mark.left - carry->left);
    if (carry->status != STATUS_OK || back == 0)
        return;
    if (fseek(carry->stream, -back, SEEK_CUR) != 0)
        carry_fail(carry, STATUS_UNREADABLE);
    carry->left = mark.left;
    carry->tables = mark.tables;
}

/* --- beginning and end --- */

static struct carry *make(FILE *stream, bool reading)
{
    struct carry *carry = calloc(1, sizeof(*carry));
    if (carry == NULL)
        return NULL;
    carry->stream = stream;
    carry->reading = reading;
    carry->sum = empty_sum;
    return carry;
}

struct carry *carry_write(FILE *stream)
{
    struct carry *carry = make(stream, false);
    if (carry == NULL)
        return NULL;
    put(carry, (const uint8_t *)magic, sizeof(magic) - 1);
    put_number(carry, FORMAT);
    return carry;
}

static void put_sum(uint8_t octets[CHECKSUM], uint64_t sum)
{
    for (int i = 0; i < CHECKSUM; i++)
        octets[i] = (uint8_t)(sum >> 8 * i);
}

/* Reads all of the stream; true where its last octets are the checksum of the others. */
static bool is_whole(FILE *stream, uint64_t *ret_body)
{
    uint8_t octets[CHECKSUM + 65536], wanted[CHECKSUM];
    uint64_t sum = empty_sum, body = 0;
    size_t held = 0, count;
    while ((count = fread(octets + held, 1, sizeof(octets) - held, stream)) > 0) {
        held += count;
        if (held <= CHECKSUM)
            continue;
        sum = sum_of(sum, octets, held - CHECKSUM);
        body += held - CHECKSUM;
        memmove(octets, octets + held - CHECKSUM, CHECKSUM);
        held = CHECKSUM;
    }
    put_sum(wanted, sum);
    *ret_body = body;
    return held == CHECKSUM && ferror(stream) == 0 && memcmp(octets, wanted, CHECKSUM) == 0;
}

static enum status refuse(char *message, const char *why)
{
    snprintf(message, MESSAGE_SIZE, "%s", why);
    return STATUS_UNREADABLE;
}

enum status carry_read(FILE *stream, struct carry **ret_carry, char *message)
{
    uint8_t begin[sizeof(magic) - 1];
    uint64_t body;
    bool begun = fread(begin, 1, sizeof(begin), stream) == sizeof(begin);
    if (!begun || memcmp(begin, magic, sizeof(begin)) != 0)
        return refuse(message, "is no state of lastack; give a file that --state-out wrote");
    if (fseek(stream, 0, SEEK_SET) != 0)
        return refuse(message, "cannot be read twice; give a file instead of a pipe");
    if (!is_whole(stream, &body) || body < sizeof(begin))
        return refuse(message, "is cut short or damaged: its checksum does not fit; write it again "
                               "with --state-out");
    struct carry *carry = make(stream, true);
    if (carry == NULL)
        return STATUS_NO_MEMORY;
    carry->left = body - sizeof(begin);
    if (fseek(stream, sizeof(begin), SEEK_SET) != 0 || get_number(carry) != FORMAT) {
        carry_free(carry);
        return refuse(message, "is a state of another version of lastack; write it again with "
                               "this one");
    }
    *ret_carry = carry;
    return STATUS_OK;
}

enum status carry_end(struct carry *carry)
{
    uint8_t octets[CHECKSUM];
    if (carry->reading)
        return carry->status == STATUS_OK && carry->left > 0 ? STATUS_UNREADABLE : carry->status;
    put_sum(octets, carry->sum);
    put(carry, octets, sizeof(octets));
    if (carry->status == STATUS_OK && fflush(carry->stream) != 0)
        carry->status = STATUS_WRITE;
    return carry->status;
}

void carry_free(struct carry *carry)
{
    free(carry);
}
