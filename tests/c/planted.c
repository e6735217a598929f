// A test of the tests: does one thing wrong that a checking tool has to report, so that a tool that sees nothing is
// noticed. Where it can, the mistake is made in C and the stray access in the library's Rust code: then the tool sees that.
//
//   planted after-free | leak | overflow | race
//
// And `planted panic` works only against a library built with `--cfg sds_planted_panic`: see src/channel/send.rs.
#include "check.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#define CHANNEL TEXT("chat")
#define START UINT64_C(1700000000000)

static sds_manager_t open_manager(void) {
    sds_manager_t manager = 0;
    sds_config_t config;
    OK(sds_config_init(&config, sizeof config));
    OK(sds_manager_open(&config, &manager, NULL));
    OK(sds_channel_open(manager, CHANNEL, NULL, START, NULL));
    return manager;
}

// The library decodes records that lie in freed memory.
static void after_free(void) {
    sds_manager_t manager = open_manager();
    sds_buffer_t out = {NULL, 0, 0};
    sds_record_t record;
    size_t at = 0;
    const uint8_t *volatile data;
    size_t len;
    record.size = sizeof record;
    OK(sds_wrap_outgoing(manager, CHANNEL, TEXT("m"), BYTES("x"), START, &out, NULL));
    data = out.data;
    len = out.len;
    sds_buffer_free(&out);
    (void)!sds_record_next(data, len, &at, &record);
}

static void leak(void) {
    sds_manager_t manager = open_manager();
    sds_buffer_t out = {NULL, 0, 0};
    OK(sds_wrap_outgoing(manager, CHANNEL, TEXT("m"), BYTES("x"), START, &out, NULL));
    memset(&out, 0, sizeof out);
    OK(sds_manager_close(manager, NULL));
}

static void overflow(void) {
    volatile int number = INT_MAX;
    number += 1;
    printf("%d\n", number);
}

static sds_manager_t shared_manager;
static sds_buffer_t shared_buffer;

static void *list_channels(void *argument) {
    (void)argument;
    (void)!sds_channel_list(shared_manager, &shared_buffer, NULL);
    return NULL;
}

// The rule is one call at a time for a buffer, and nobody else at it meanwhile. The other here is no call: what two of them do
// to locks inside would put them in order on a busy machine, and there would be no race to notice.
static void race(void) {
    pthread_t thread;
    shared_manager = open_manager();
    CHECK(pthread_create(&thread, NULL, list_channels, NULL) == 0);
    shared_buffer.len = 0;
    CHECK(pthread_join(thread, NULL) == 0);
}

// A panic becomes a status, once; then its manager is poisoned, and only its.
static void panic(void) {
    sds_manager_t hit = open_manager(), other = open_manager();
    sds_buffer_t out = {NULL, 0, 0};
    sds_error_t error;
    sds_channel_status_t status;
    error.size = sizeof error;
    status.size = sizeof status;
    STATUS(SDS_PANIC, sds_wrap_outgoing(hit, CHANNEL, TEXT("m"), BYTES("planted panic"), START, &out, &error));
    CHECK(error.status == SDS_PANIC && strstr(error.text, "planted panic") != NULL);
    CHECK(out.len == 0);
    STATUS(SDS_POISONED, sds_wrap_outgoing(hit, CHANNEL, TEXT("n"), BYTES("x"), START, &out, NULL));
    STATUS(SDS_POISONED, sds_channel_status(hit, CHANNEL, &status, &error));
    STATUS(SDS_POISONED, sds_tick(hit, START, NULL));
    OK(sds_wrap_outgoing(other, CHANNEL, TEXT("m"), BYTES("x"), START, &out, NULL));
    OK(sds_tick(other, START, NULL));
    OK(sds_manager_close(hit, NULL));
    STATUS(SDS_CLOSED, sds_tick(hit, START, NULL));
    hit = open_manager();
    OK(sds_wrap_outgoing(hit, CHANNEL, TEXT("m"), BYTES("x"), START, &out, NULL));
    OK(sds_manager_close(hit, NULL));
    OK(sds_manager_close(other, NULL));
    sds_buffer_free(&out);
}

int main(int count, char **arguments) {
    const char *what = count == 2 ? arguments[1] : "";
    if (strcmp(what, "after-free") == 0) {
        after_free();
    } else if (strcmp(what, "leak") == 0) {
        leak();
    } else if (strcmp(what, "overflow") == 0) {
        overflow();
    } else if (strcmp(what, "race") == 0) {
        race();
    } else if (strcmp(what, "panic") == 0) {
        panic();
    } else {
        return 2;
    }
    return failures == 0 ? 0 : 1;
}
