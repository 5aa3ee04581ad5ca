/* filter: a BPF expression, compiled for the link type at hand. */
#ifndef LASTACK_SOURCE_FILTER_H
#define LASTACK_SOURCE_FILTER_H

#include <stdbool.h>

#include "source.h"

struct filter;

/* expression is not owned and must outlive the filter.  NULL: no memory. */
struct filter *filter_new(const char *expression);

/*
 * Makes the filter ready for packets of the link type.  USAGE and a message with libpcap's reason
 * when the expression is wrong, or means nothing there.
 */
enum status filter_compile(struct filter *filter, int link_type, char *message);

/* Whether the packet, of the link type compiled for last, passes. */
bool filter_passes(const struct filter *filter, const struct captured_packet *packet);

/* Writes the message for an expression that libpcap refuses for the reason. */
void filter_explain(const char *expression, int link_type, const char *reason, char *message);

void filter_free(struct filter *filter); /* accepts NULL */

#endif
