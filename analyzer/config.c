/* config: the defaults, from config.def. */
#include "config.h"

struct config config_default(void)
{
    return (struct config){
#define TUNABLE(type, name, initial, unit, reason) .name = (initial),
#include "config.def"
#undef TUNABLE
    };
}
