#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#include "check.h"

#include <dirent.h>

int failures;
int checks;

void check(int holds, const char *what, const char *file, int line) {
    checks++;
    if (!holds) {
        failures++;
        printf("%s:%d: not so: %s\n", file, line, what);
    }
}

void check_status(sds_status_t got, sds_status_t wanted, const char *call, const char *file, int line) {
    checks++;
    if (got != wanted) {
        failures++;
        printf("%s:%d: %s: %s, wanted %s\n", file, line, call, sds_status_text(got), sds_status_text(wanted));
    }
}

int entries_of(const char *folder) {
    int count = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return 0;
    }
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count;
}
