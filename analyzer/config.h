/*
 * config: the numbers that can be tuned, from config.def.  A plain value, copied freely.
 */
#ifndef LASTACK_CONFIG_H
#define LASTACK_CONFIG_H

#include <stdint.h>

#include "base/time.h"

enum { CONFIG_MOST_THREADS = 64 };

struct config {
#define TUNABLE(type, name, initial, unit, reason) type name;
#include "config.def"
#undef TUNABLE
};

/* The defaults. */
struct config config_default(void);

#endif
