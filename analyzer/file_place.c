/* file_place: see file_place.h. */
#include "file_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum status file_place_open(struct file_place *place, const char *path, char *message)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);
    char *folder = slash == NULL ? strdup(".") : strndup(path, length == 0 ? 1 : length);
    *place = (struct file_place){path, slash == NULL ? path : slash + 1, -1};
    if (folder == NULL)
        return STATUS_NO_MEMORY;
    place->directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place->directory < 0)
        snprintf(message, MESSAGE_SIZE, "cannot write %.200s: %.200s: %s", path, folder,
                 strerror(errno));
    free(folder);
    return place->directory < 0 ? STATUS_WRITE : STATUS_OK;
}

void file_place_close(struct file_place *place)
{
    if (place->directory >= 0)
        close(place->directory);
    place->directory = -1;
}
