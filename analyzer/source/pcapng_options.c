/*
 * pcapng_options: the list that most blocks end in.
 *
 *      0  code   2  length   4  value, filled up to four octets        code 0 ends the list
 */
#include "octets.h"
#include "pcapng.h"

enum { OPTION_HEADER = 4, OPTION_END = 0 };

bool pcapng_next_option(struct pcapng_options *options, struct pcapng_option *ret_option)
{
    size_t left = (size_t)(options->end - options->at);
    if (left < OPTION_HEADER)
        return false;
    uint16_t code = read_u16(options->at, options->big_endian);
    uint16_t length = read_u16(options->at + 2, options->big_endian);
    size_t padded = ((size_t)length + 3) & ~(size_t)3;
    if (code == OPTION_END || length > left - OPTION_HEADER)
        return false;
    *ret_option = (struct pcapng_option){code, length, options->at + OPTION_HEADER};
    left -= OPTION_HEADER;
    options->at += OPTION_HEADER + (padded < left ? padded : left);
    return true;
}

uint64_t pcapng_count_comments(struct pcapng_options options)
{
    struct pcapng_option option;
    uint64_t comments = 0;
    while (pcapng_next_option(&options, &option))
        if (option.code == PCAPNG_COMMENT)
            comments++;
    return comments;
}
