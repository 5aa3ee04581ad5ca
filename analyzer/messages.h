/* messages: what the program says on standard error, a line each. */
#ifndef LASTACK_MESSAGES_H
#define LASTACK_MESSAGES_H

/*
 * Writes "lastack: " and the message as one line.  Words from outside (file names, arguments) may
 * stand in it: what could steer a terminal is shown as '?'.
 */
void message_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
