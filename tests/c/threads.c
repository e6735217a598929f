// 64 threads inside one manager, and it is closed under them from four places at once: each call gets a result or
// SDS_CLOSED, exactly one close succeeds, and another manager does not notice.
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { THREADS = 64, CLOSERS = 4 };
#define CHANNEL TEXT("chat")
#define START UINT64_C(1700000000000)

struct round {
    sds_manager_t manager, bystander;
    uint8_t *packet;
    size_t packet_len;
    atomic_int inside;      // threads that had a call succeed
    atomic_int unexpected;  // statuses that are neither success nor closed
    atomic_int closed;      // closes that succeeded
};

static int fine(struct round *round, sds_status_t status) {
    if (status != SDS_OK && status != SDS_CLOSED && status != SDS_OUTPUTS_FULL) {
        atomic_fetch_add(&round->unexpected, 1);
    }
    return status != SDS_CLOSED;
}

// All kinds of calls, until the manager is closed. What threads share is the manager alone.
static void *caller(void *argument) {
    struct round *round = argument;
    sds_buffer_t out = {NULL, 0, 0};
    sds_channel_status_t status;
    uint8_t *memory = malloc(1 << 16);
    size_t len;
    uint64_t deadline_ms, now_ms = START;
    int open = 1, first = 1;
    status.size = sizeof status;
    while (open) {
        const sds_manager_t manager = round->manager;
        now_ms += 1000;
        open = fine(round, sds_wrap_outgoing(manager, CHANNEL, NULL, 0, BYTES("x"), now_ms, &out, NULL)) &&
               fine(round, sds_unwrap_incoming(manager, round->packet, round->packet_len, now_ms, &out, NULL)) &&
               fine(round, sds_channel_status(manager, CHANNEL, &status, NULL)) &&
               fine(round, sds_tick(manager, now_ms, NULL)) &&
               fine(round, sds_next_deadline(manager, &deadline_ms, NULL)) &&
               fine(round, sds_drain(manager, memory, 1 << 16, &len, NULL, NULL));
        if (first) {
            first = 0;
            atomic_fetch_add(&round->inside, 1);
        }
    }
    if (sds_tick(round->bystander, START, NULL) != SDS_OK) {
        atomic_fetch_add(&round->unexpected, 1);
    }
    free(memory);
    sds_buffer_free(&out);
    return NULL;
}

static void *closer(void *argument) {
    struct round *round = argument;
    sds_status_t status;
    while (atomic_load(&round->inside) < THREADS) {
        // Managers come and go meanwhile, in the same table.
        sds_manager_t other;
        sds_config_t config;
        if (sds_config_init(&config, sizeof config) != SDS_OK || sds_manager_open(&config, &other, NULL) != SDS_OK ||
            sds_manager_close(other, NULL) != SDS_OK) {
            atomic_fetch_add(&round->unexpected, 1);
        }
    }
    status = sds_manager_close(round->manager, NULL);
    if (status == SDS_OK) {
        atomic_fetch_add(&round->closed, 1);
    } else {
        (void)fine(round, status);
    }
    return NULL;
}

static sds_manager_t open_manager(void) {
    sds_manager_t manager = 0;
    sds_config_t config;
    OK(sds_config_init(&config, sizeof config));
    OK(sds_manager_open(&config, &manager, NULL));
    OK(sds_channel_open(manager, CHANNEL, NULL, START, NULL));
    return manager;
}

static void close_under_calls(void) {
    struct round round;
    pthread_t threads[THREADS + CLOSERS];
    sds_buffer_t out = {NULL, 0, 0};
    sds_record_t record;
    size_t at = 0;
    int i;
    memset(&round, 0, sizeof round);
    round.manager = open_manager();
    round.bystander = open_manager();
    record.size = sizeof record;
    OK(sds_wrap_outgoing(round.bystander, CHANNEL, TEXT("m"), BYTES("content"), START, &out, NULL));
    OK(sds_record_next(out.data, out.len, &at, &record));
    round.packet = malloc(record.data_len);
    memcpy(round.packet, record.data, record.data_len);
    round.packet_len = record.data_len;
    for (i = 0; i < THREADS + CLOSERS; i++) {
        CHECK(pthread_create(&threads[i], NULL, i < THREADS ? caller : closer, &round) == 0);
    }
    for (i = 0; i < THREADS + CLOSERS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    CHECK(atomic_load(&round.inside) == THREADS);
    CHECK(atomic_load(&round.unexpected) == 0);
    CHECK(atomic_load(&round.closed) == 1);
    OK(sds_manager_close(round.bystander, NULL));
    sds_buffer_free(&out);
    free(round.packet);
}

int main(void) {
    int round;
    for (round = 0; round < 4; round++) {
        close_under_calls();
    }
    OK(sds_shutdown(NULL));
    printf("%d checks, %d failed\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
