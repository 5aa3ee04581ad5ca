/*
 * settings: a JSON file of names and numbers, e.g. {"msl": "30s", "tombstones": 2}.
 *
 * It stands here because this folder alone knows json-c.
 */
#ifndef LASTACK_SINK_SETTINGS_H
#define LASTACK_SINK_SETTINGS_H

#include "../base/status.h"

/*
 * Reads the file and hands each member to take(), in the order of the file, its value as a word.
 * Stops at the first failure of take() and returns that.  Returns USAGE, with one line in message
 * (message_size octets), when the file cannot be read, is larger than 64 KiB, is no JSON object, or
 * holds something else than whole numbers and strings.
 */
enum status settings_read(const char *file,
                          enum status (*take)(void *context, const char *name, const char *word),
                          void *context, char *message, unsigned message_size);

#endif
