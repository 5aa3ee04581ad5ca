/* listener: a socket that listens at an address of the command line. */
#ifndef LASTACK_LISTENER_H
#define LASTACK_LISTENER_H

#include <stdbool.h>

#include "base/status.h"

enum { LISTENER_NAME = 64 }; /* [ADDR]:PORT and a NUL */

/*
 * Listens at ADDR:PORT, [ADDR]:PORT, or PORT of 127.0.0.1 alone.  Fails with USAGE or WRITE (the
 * address is in use or not this host's), and a message.
 */
enum status listener_open(const char *word, int *ret_listener, char *message);

/* Where: with port 0 the kernel chose one.  Empty when that cannot be found out. */
void listener_name(int listener, char ret_name[LISTENER_NAME]);

/* Whether only programs of this host can reach it. */
bool listener_is_local(int listener);

/* Its port. */
unsigned listener_port(int listener);

#endif
