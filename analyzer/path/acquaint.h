/*
 * acquaint: whether two connections, each shown by one tap alone, are one, and making them one
 * (introduce.h).
 */
#ifndef LASTACK_PATH_ACQUAINT_H
#define LASTACK_PATH_ACQUAINT_H

#include "pair.h"

enum { ACQUAINT_TELLING = 32 }; /* octets that are hardly the same by chance */

/* What speaks for two connections being one. */
struct acquaintance {
    int score;            /* 0: nothing */
    uint32_t joint;       /* the one that is there already */
    bool flipped;         /* its end 0 is end 1 of the other */
    uint32_t shift[ENDS]; /* the other's sequence numbers less its own, by its ends */
};

/* Of a lone segment, `held`, and another of the other tap, that may be the same. */
struct acquaintance acquaint(const struct pair *pair, uint32_t held, uint32_t other);

/* Both are one: the other joint goes, and what it holds is matched with what the first one holds.
 */
void acquaint_join(struct pair *pair, const struct acquaintance *acquaintance, uint32_t other);

#endif
