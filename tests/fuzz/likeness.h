/* likeness: whether two outputs tell the same story in other sequence numbers. */
#ifndef LASTACK_TESTS_LIKENESS_H
#define LASTACK_TESTS_LIKENESS_H

/* Ends the program with a claim when they do not; both are NDJSON, and changed. */
void likeness_claim(char *one, char *other);

#endif
