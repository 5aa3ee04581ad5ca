/* input_title: what is read, in a few words, for the live views. */
#ifndef LASTACK_INPUT_TITLE_H
#define LASTACK_INPUT_TITLE_H

#include "options.h"

enum { INPUT_TITLE = 256 };

/* The first interface or file, and how many others there are; from outside. */
void input_title(const struct options *options, char ret_title[INPUT_TITLE]);

#endif
