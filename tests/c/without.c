// A library that was built without SQLite: all is there, but for one way to keep state, which says so. See without.sh.
#include "party.h"

int main(void) {
    static struct party alice;
    sds_config_t config;
    sds_error_t error;
    uint64_t number = 0;
    memset(&error, 0, sizeof error);
    error.size = sizeof error;
    OK(sds_config_init(&config, sizeof config));
    alice.manager = 7;
    STATUS(SDS_NOT_BUILT_IN, sds_manager_open_store(&config, TEXT(":memory:"), SDS_SYNCHRONOUS_FULL, START,
                                                    &alice.manager, &error));
    CHECK(error.status == SDS_NOT_BUILT_IN && strstr(error.text, "SQLite is not built into this library"));
    CHECK(alice.manager == 7);
    // Wrong arguments are wrong all the same.
    STATUS(SDS_INVALID_ARGUMENT, sds_manager_open_store(&config, NULL, 0, SDS_SYNCHRONOUS_FULL, START, &alice.manager,
                                                        &error));
    CHECK(strcmp(sds_status_text(SDS_NOT_BUILT_IN), "not built into this library") == 0);

    OK(sds_manager_open_external(&config, NULL, 0, START, &alice.manager, NULL));
    OK(sds_channel_open(alice.manager, CHANNEL, NULL, START, NULL));
    OK(sds_offer(alice.manager, &number, &alice.out, NULL));
    OK(sds_confirm(alice.manager, number, NULL));
    party_close(&alice);
    printf("%d checks, %d failed\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
