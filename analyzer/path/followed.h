/* followed: segment records with what became of the segment between the taps. */
#ifndef LASTACK_PATH_FOLLOWED_H
#define LASTACK_PATH_FOLLOWED_H

#include "path_events.h"

/* Says at the record what became of it; a later, worse fate of a piece of it takes the place. */
void followed_note(const struct path_occasion *occasion, struct segment_record *record);

/*
 * Of a record that says what lies between the first tap and each other one: then it says what lies
 * between each tap on the way and the next.  Unchanged where that does not follow.
 */
void followed_arrange(const struct path_way *way, struct segment_record *record);

/* The record of a segment that the first tap has not shown. */
void followed_far(const struct path_occasion *occasion, struct segment_record *ret_record);

#endif
