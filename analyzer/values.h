/*
 * values: the words that options take, read strictly: the whole word or nothing.
 *
 * Each returns false, leaving *ret alone, when the word is not of its form.
 */
#ifndef LASTACK_VALUES_H
#define LASTACK_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

/* A decimal number without sign, e.g. "30". */
bool value_read_number(const char *word, uint64_t *ret_number);

/* Octets: a number, or a number with K, M, G or T for powers of 1024, e.g. "512M". */
bool value_read_size(const char *word, uint64_t *ret_octets);

/* A flow_uid as records carry it: 1 to 16 hexadecimal digits. */
bool value_read_uid(const char *word, uint64_t *ret_uid);

/*
 * Two ends, ADDRESS:PORT-ADDRESS:PORT, IPv6 addresses in brackets; both of one IP version.
 * Addresses are in network order, IPv4 in the first four octets.
 */
bool value_read_ends(const char *word, uint8_t *ret_version, uint8_t ret_address[2][16],
                     uint16_t ret_port[2]);

/*
 * Where to listen: ADDRESS:PORT, or :PORT, PORT or localhost:PORT for 127.0.0.1; IPv6 addresses in
 * brackets.  Port 0 is any.
 */
bool value_read_listen(const char *word, uint8_t *ret_version, uint8_t ret_address[16],
                       uint16_t *ret_port);

/*
 * A moment in RFC 3339's form with Z or a numeric offset, up to nine fraction digits, e.g.
 * "2026-11-20T15:00:00.5+01:00".  A space or t may stand for T.  Years 1970 to 2261, the range of
 * nanotime.
 */
bool value_read_time(const char *word, nanotime *ret_moment);

#endif
