/*
 * pcapng_interface: what a section says of its interfaces, and the list of them for the report,
 * where the same interface of several sections is one row.
 *
 *     Interface Description Block            Interface Statistics Block
 *      0  link type   2  reserved             0  interface
 *      4  snapshot length                     4  time, upper and lower half
 *      8  options                            12  options
 */
#include <stdlib.h>
#include <string.h>

#include "octets.h"
#include "pcapng.h"

enum {
    MOST_INTERFACES = 65536, /* of one section; the obsolete Packet Block could name no more */
    MOST_ROWS = 256,
    MICROSECONDS = 6, /* the resolution where nothing is said */
    POWER_OF_TWO = 0x80,
    LARGEST_POWER_OF_TEN = 38, /* that 128 bits hold */
};

enum { IF_NAME = 2, IF_DESCRIPTION = 3, IF_TSRESOL = 9, IF_TSOFFSET = 14 };
enum { ISB_IFDROP = 5, ISB_OSDROP = 7 };

__extension__ typedef unsigned __int128 wide; /* a 64-bit stamp times a thousand million */

static void copy_name(char *name, size_t size, const struct pcapng_option *option)
{
    size_t length = strnlen((const char *)option->value, option->length);
    length = length < size - 1 ? length : size - 1;
    memcpy(name, option->value, length);
    name[length] = '\0';
}

static void take_option(const struct pcapng_option *option, bool big_endian,
                        struct pcapng_interface *interface, struct source_interface *row)
{
    if (option->code == IF_NAME && option->length > 0)
        copy_name(row->name, sizeof row->name, option);
    else if (option->code == IF_DESCRIPTION && row->name[0] == '\0')
        copy_name(row->name, sizeof row->name, option);
    else if (option->code == IF_TSRESOL && option->length >= 1)
        interface->resolution = option->value[0];
    else if (option->code == IF_TSOFFSET && option->length >= 8)
        interface->offset = (int64_t)read_u64(option->value, big_endian);
}

static bool row_is(const struct source_interface *row, const struct source_interface *other)
{
    return row->link_type == other->link_type && row->snaplen == other->snaplen &&
           strcmp(row->name, other->name) == 0;
}

/* The row of the interface: one that an earlier section has, or a new one. */
static uint32_t find_row(struct pcapng_interfaces *all, const struct source_interface *wanted,
                         uint32_t after)
{
    for (uint32_t i = after; i < all->row_count; i++)
        if (row_is(&all->rows[i], wanted))
            return i;
    if (all->row_count == MOST_ROWS)
        return PCAPNG_NO_ROW;
    if (all->row_count == all->row_room) {
        uint32_t room = all->row_room == 0 ? 4 : all->row_room * 2;
        struct source_interface *rows = realloc(all->rows, room * sizeof *rows);
        if (rows == NULL)
            return PCAPNG_NO_ROW;
        all->rows = rows;
        all->row_room = room;
    }
    all->rows[all->row_count] = *wanted;
    return all->row_count++;
}

/* Two interfaces of one section stay two rows, though they be alike. */
static uint32_t first_free_row(const struct pcapng_interfaces *all)
{
    uint32_t after = 0;
    for (uint32_t i = 0; i < all->count && i < MOST_ROWS; i++)
        if (all->here[i].row != PCAPNG_NO_ROW && all->here[i].row >= after)
            after = all->here[i].row + 1;
    return after;
}

static bool make_room(struct pcapng_interfaces *all)
{
    if (all->count < all->room)
        return true;
    uint32_t room = all->room == 0 ? 4 : all->room * 2;
    struct pcapng_interface *here = realloc(all->here, room * sizeof *here);
    if (here == NULL)
        return false;
    all->here = here;
    all->room = room;
    return true;
}

enum status pcapng_add_interface(struct pcapng_interfaces *all, const uint8_t *body, size_t size,
                                 bool big_endian)
{
    if (size < 8 || all->count == MOST_INTERFACES)
        return STATUS_USAGE;
    if (!make_room(all))
        return STATUS_NO_MEMORY;
    struct pcapng_interface interface = {
        .link_type = link_type_of_file(read_u16(body, big_endian)),
        .snaplen = read_u32(body + 4, big_endian),
        .resolution = MICROSECONDS,
    };
    struct source_interface row = {.link_type = interface.link_type, .snaplen = interface.snaplen};
    struct pcapng_options options = {body + 8, body + size, big_endian};
    struct pcapng_option option;
    while (pcapng_next_option(&options, &option))
        take_option(&option, big_endian, &interface, &row);
    interface.row = find_row(all, &row, first_free_row(all));
    all->here[all->count++] = interface;
    return STATUS_OK;
}

static void add_drops(struct pcapng_interfaces *all, const struct pcapng_interface *of,
                      uint64_t drops)
{
    all->drops += drops;
    if (of->row == PCAPNG_NO_ROW)
        return;
    all->rows[of->row].drops += drops;
    all->rows[of->row].drops_known = true;
}

/* The larger of what packets and what statistics told counts: they speak of the same drops. */
static void raise_drops(struct pcapng_interfaces *all, struct pcapng_interface *of, uint64_t *known,
                        uint64_t now)
{
    uint64_t before = of->noted > of->counted ? of->noted : of->counted;
    all->drops_known = true;
    *known = now > *known ? now : *known;
    uint64_t after = of->noted > of->counted ? of->noted : of->counted;
    add_drops(all, of, after - before);
}

void pcapng_note_drops(struct pcapng_interfaces *all, struct pcapng_interface *of, uint64_t drops)
{
    raise_drops(all, of, &of->noted, of->noted + drops);
}

enum status pcapng_note_statistics(struct pcapng_interfaces *all, const uint8_t *body, size_t size,
                                   bool big_endian)
{
    if (size < 12 || read_u32(body, big_endian) >= all->count)
        return STATUS_USAGE;
    struct pcapng_interface *of = &all->here[read_u32(body, big_endian)];
    struct pcapng_options options = {body + 12, body + size, big_endian};
    struct pcapng_option option;
    uint64_t drops = 0;
    bool told = false;
    while (pcapng_next_option(&options, &option)) {
        if ((option.code != ISB_IFDROP && option.code != ISB_OSDROP) || option.length < 8)
            continue;
        drops += read_u64(option.value, big_endian);
        told = true;
    }
    if (told)
        raise_drops(all, of, &of->counted, drops);
    return STATUS_OK;
}

static wide power_of_ten(unsigned exponent)
{
    wide power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

static wide stamp_in_nanoseconds(uint8_t resolution, uint64_t stamp)
{
    unsigned exponent = resolution & ~POWER_OF_TWO;
    if (resolution & POWER_OF_TWO)
        return (wide)stamp * NANO_PER_SECOND >> exponent;
    if (exponent <= 9)
        return (wide)stamp * power_of_ten(9 - exponent);
    if (exponent - 9 > LARGEST_POWER_OF_TEN)
        return 0;
    return (wide)stamp / power_of_ten(exponent - 9);
}

nanotime pcapng_time(const struct pcapng_interface *interface, uint64_t stamp)
{
    nanotime offset;
    if (interface->resolution == MICROSECONDS && stamp <= READER_LATEST / NANO_PER_MICRO &&
        interface->offset == 0)
        return (nanotime)stamp * NANO_PER_MICRO;
    wide nanoseconds = stamp_in_nanoseconds(interface->resolution, stamp);
    nanotime time = nanoseconds > INT64_MAX ? INT64_MAX : (nanotime)nanoseconds;
    if (__builtin_mul_overflow(interface->offset, (int64_t)NANO_PER_SECOND, &offset))
        return interface->offset > 0 ? READER_LATEST : READER_EARLIEST;
    time = time_after(time, offset);
    return time_later_of(time_earlier_of(time, READER_LATEST), READER_EARLIEST);
}

void pcapng_forget_interfaces(struct pcapng_interfaces *all)
{
    all->count = 0;
}

void pcapng_clear_interfaces(struct pcapng_interfaces *all)
{
    free(all->here);
    free(all->rows);
}
