/*
 * replay: runs a fuzz target over files, for builds without libFuzzer.
 *
 *      TARGET FILE-OR-FOLDER...
 *
 * Every file is one input, in memory of exactly its size.  Prints how many there were; a claim that
 * does not hold, or a sanitizer, ends the program before that.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "claim.h"

static unsigned replay_file(const char *name, size_t size)
{
    uint8_t *octets = malloc(size > 0 ? size : 1);
    FILE *file = fopen(name, "rb");
    CLAIM(octets != NULL && file != NULL, "%s: %s", name, strerror(errno));
    CLAIM(fread(octets, 1, size, file) == size, "%s: cut short", name);
    fclose(file);
    fprintf(stderr, "%s\n", name); /* the last line tells which one it was */
    LLVMFuzzerTestOneInput(octets, size);
    free(octets);
    return 1;
}

/* Files, and those in folders. */
static unsigned replay(const char *name)
{
    struct stat status;
    CLAIM(stat(name, &status) == 0, "%s: %s", name, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return replay_file(name, (size_t)status.st_size);
    struct dirent **entry;
    int entries = scandir(name, &entry, NULL, alphasort);
    unsigned count = 0;
    for (int i = 0; i < entries; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", name, entry[i]->d_name);
        if (entry[i]->d_name[0] != '.')
            count += replay(path);
        free(entry[i]);
    }
    if (entries >= 0)
        free(entry);
    return count;
}

int main(int count, char **arguments)
{
    unsigned inputs = 0;
    for (int i = 1; i < count; i++)
        inputs += replay(arguments[i]);
    printf("%u inputs\n", inputs);
    return inputs > 0 ? 0 : 2;
}
