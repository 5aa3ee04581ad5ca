/*
 * host: what spans connections.  It stands between the engines, their records merged, and the
 * outputs: it counts deltas and flows, raises the events of hosts and services, completes events
 * of connections with what the others tell, and writes the census at the end.
 */
#ifndef LASTACK_HOST_HOST_H
#define LASTACK_HOST_HOST_H

#include "../base/carry.h"
#include "../config.h"
#include "../event/sink.h"
#include "../event/told.h"

struct host;

/* config and next must outlive *ret_host.  NO_MEMORY is the only failure. */
enum status host_new(const struct config *config, struct sink *next, struct host **ret_host);

/* Octets that it takes at most, but for what few busy hosts add. */
uint64_t host_octets(const struct config *config);

/* The sink to be fed; owned by host. */
struct sink *host_sink(struct host *host);

/* Counts what another run's census was told; of flows, no record follows. */
enum status host_tell(struct host *host, const struct told *told);

/* Carries its clock on to `now`, never back. */
enum status host_advance(struct host *host, nanotime now);

/* Hands the census, as it stands, to this sink alone. */
enum status host_show(struct host *host, struct sink *sink);

/* Decides what is open, and writes the census; before the summary. */
enum status host_finish(struct host *host, nanotime now);

/* The events so far, those of hosts among them: by enum event_id, and by enum level. */
void host_count_events(const struct host *host, uint64_t *ret_by_id, uint64_t *ret_by_level);

/* The largest stocks that any one host or service holds now. */
struct stock_peaks host_peaks(const struct host *host);

/* Writes what it counts, or fills one that has been fed nothing yet. */
void host_carry(struct carry *carry, struct host *host);

/* Puts the counts of the events, those of hosts among them, into the summary. */
void host_summarize(const struct host *host, struct run_summary *summary);

void host_free(struct host *host); /* accepts NULL */

#endif
