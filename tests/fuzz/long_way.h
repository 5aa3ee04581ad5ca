/*
 * long_way: every frame and every segment goes the long way, where short ones would have taken it.
 *
 * The linker puts these functions before the program's own (--wrap), so that what is compared is
 * the very code that is shipped, without a switch in it.  A call inside one source file cannot be
 * turned aside so: long_way_asked() says how often each was, and a target claims that all were.
 * The engine's own short ways are closed where segments are recorded: who asks for that needs
 * nothing of this.  Parking is no short way: of the memory against copies it keeps half (park.c).
 */
#ifndef LASTACK_TESTS_LONG_WAY_H
#define LASTACK_TESTS_LONG_WAY_H

#include <stdbool.h>
#include <stdint.h>

enum way {
    WAY_USUAL, /* ordinary segments: through the two sides */
    WAY_PLAIN, /* the frame that nearly every frame is */
    WAYS
};

/* From now on; false: the short ways are open again. */
void long_way_take(bool only);

/* How often the short way was turned aside since the program began. */
uint64_t long_way_asked(enum way way);

const char *long_way_name(enum way way);

#endif
