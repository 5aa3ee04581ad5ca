/* emptying: see emptying.h. */
#include "emptying.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/aside.h"
#include "large_file.h"

struct emptying {
    pthread_t thread;
    int file;
    int error; /* errno of what failed, or 0; the thread's until it is joined */
};

static void *empty(void *context)
{
    struct emptying *emptying = context;
    emptying->error = ftruncate(emptying->file, 0) == 0 ? 0 : errno;
    return NULL;
}

/* NULL: there is no memory for it, or no thread. */
static struct emptying *start(int file)
{
    struct emptying *emptying = calloc(1, sizeof(*emptying));
    if (emptying == NULL)
        return NULL;
    emptying->file = file;
    if (aside_start(&emptying->thread, empty, emptying))
        return emptying;
    free(emptying);
    return NULL;
}

enum status emptying_begin(int file, struct emptying **ret_emptying)
{
    struct stat status;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0)
        return STATUS_OK;
    struct emptying *emptying = status.st_size < LARGE_FILE ? NULL : start(file);
    if (emptying == NULL)
        return ftruncate(file, 0) == 0 ? STATUS_OK : STATUS_WRITE;
    *ret_emptying = emptying;
    return STATUS_OK;
}

enum status emptying_end(struct emptying *emptying)
{
    if (emptying == NULL)
        return STATUS_OK;
    pthread_join(emptying->thread, NULL);
    int error = emptying->error;
    free(emptying);
    errno = error != 0 ? error : errno;
    return error == 0 ? STATUS_OK : STATUS_WRITE;
}
