// Assertions that say what was expected and where, and go on: one run shows every failure.
#ifndef SDS_TEST_CHECK_H
#define SDS_TEST_CHECK_H

#include <stdio.h>
#include <string.h>

#include "sds.h"

extern int failures;
extern int checks;

void check(int holds, const char *what, const char *file, int line);

void check_status(sds_status_t got, sds_status_t wanted, const char *call, const char *file, int line);

// How many names a folder of /proc has; 0 on systems without.
int entries_of(const char *folder);

#define CHECK(condition) check((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
#define STATUS(wanted, call) check_status((call), (wanted), #call, __FILE__, __LINE__)
#define OK(call) STATUS(SDS_OK, call)

// A text as the two arguments that calls take.
#define TEXT(literal) (literal), strlen(literal)
#define BYTES(literal) (const uint8_t *)(literal), strlen(literal)

#endif
