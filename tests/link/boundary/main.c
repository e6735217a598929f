// A C program with two Rust archives, each with a runtime of its own.
#include "boundary.h"

int32_t other_count(uint32_t count, uint32_t divisor);

int main(void) {
    if (sds_boundary(0) != 1) return 1;
    if (sds_boundary(1) != -2) return 2;
    if (other_count(10, 3) != 3) return 3;
    if (other_count(10, 0) != -1) return 4;
    if (sds_boundary(1) != -3) return 5;
    return 0;
}
