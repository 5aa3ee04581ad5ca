/* decide_parts: what the files of decide tell each other; known to them alone. */
#ifndef LASTACK_DECIDE_PARTS_H
#define LASTACK_DECIDE_PARTS_H

#include "decide.h"
#include "detect/detect.h"

/* Shows an occasion, filled by the caller but for what is the same in all of them. */
void decide_show(struct engine *engine, const struct tuple *tuple, struct incarnation *incarnation,
                 struct occasion *occasion);

/* A step that may show that the final ACK was lost, or repair it. */
void decide_follow_final_ack(struct engine *engine, struct incarnation *incarnation,
                             const struct step *step);

/* The story of the final ACK is over; segment: what ended it, from side `from`; NULL: time did. */
void decide_final_ack(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation,
                      const struct segment *segment, int from);

/* A step after an old segment that may have been accepted. */
void decide_follow_hazard(struct engine *engine, struct tuple *tuple,
                          struct incarnation *incarnation, const struct step *step);

/* The open hazard is over: its octets (or the reset) were delivered, or refuted, or neither. */
void decide_hazard(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation,
                   const struct segment *segment, bool delivered, bool refuted);

#endif
