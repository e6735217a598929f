// Runs all C tests. The same files are compiled as C and as C++: see run.sh.
#include "check.h"

void talk_tests(void);
void repair_tests(void);
void look_tests(void);
void misuse_tests(void);
void every_tests(void);
void boundary_tests(void);
void store_tests(void);
void external_tests(void);

int main(void) {
    CHECK(sds_abi_version() == SDS_ABI_VERSION);
    CHECK(strlen(sds_version()) >= 5);
    talk_tests();
    repair_tests();
    look_tests();
    misuse_tests();
    every_tests();
    boundary_tests();
    store_tests();
    external_tests();
    printf("%d checks, %d failed\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
