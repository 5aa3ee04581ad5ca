/* pseudo_header: fields in packets that stand in the byte order of the host that captured. */
#ifndef LASTACK_SOURCE_PSEUDO_HEADER_H
#define LASTACK_SOURCE_PSEUDO_HEADER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Turns them, in place, into this host's order, as libpcap does.  Only NFLOG has any that matter to
 * what can carry TCP.
 */
void pseudo_header_to_host(int link_type, uint8_t *octets, uint32_t captured, bool big_endian);

#endif
