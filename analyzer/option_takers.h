/* option_takers: what options with an argument of their own form do; known to option_apply. */
#ifndef LASTACK_OPTION_TAKERS_H
#define LASTACK_OPTION_TAKERS_H

#include "options.h"

/* Takes the argument of an option; NULL when it has none.  Fails as option_apply does. */
struct option_taker {
    enum option_id id;
    enum status (*take)(struct options *options, const char *argument, char *message);
};

/* The last row of each has no function. */
extern const struct option_taker option_input_takers[], option_output_takers[];

#endif
