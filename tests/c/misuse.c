// What a caller can do wrong with more than one argument of one call, which every.c is about: a status each time, and
// nothing else happens.
#include "party.h"

#include <stdlib.h>

void misuse_tests(void);

static void handles(void) {
    struct party alice;
    sds_manager_t old;
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    old = alice.manager;

    STATUS(SDS_INVALID_HANDLE, sds_tick(0, START, NULL));
    STATUS(SDS_INVALID_HANDLE, sds_tick(UINT64_C(0x1234567890abcdef), START, NULL));
    STATUS(SDS_INVALID_HANDLE, sds_tick(UINT64_MAX, START, NULL));
    STATUS(SDS_INVALID_HANDLE, sds_manager_close(old + 1000, NULL));
    party_close(&alice);
    STATUS(SDS_CLOSED, sds_manager_close(old, NULL));
    STATUS(SDS_CLOSED, sds_tick(old, START, NULL));

    // The next manager may have the old one's place, and never its number.
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    CHECK(alice.manager != old);
    STATUS(SDS_CLOSED, sds_tick(old, START, NULL));
    OK(sds_shutdown(NULL));
    STATUS(SDS_CLOSED, sds_tick(alice.manager, START, NULL));
    sds_buffer_free(&alice.out);
    sds_buffer_free(NULL);
}

static void texts(void) {
    struct party alice;
    sds_error_t error;
    char long_id[300];
    error.size = sizeof error;
    memset(long_id, 'x', sizeof long_id);
    party_open(&alice, "alice", SDS_PROFILE_RFC);

    STATUS(SDS_NOT_UTF8, sds_channel_open(alice.manager, "\xff\xfe", 2, NULL, START, &error));
    CHECK(strstr(error.text, "UTF-8"));
    STATUS(SDS_NOT_UTF8, sds_wrap_outgoing(alice.manager, CHANNEL, "\xc3", 1, BYTES("x"), START, &alice.out, NULL));
    STATUS(SDS_INVALID_ID, sds_channel_open(alice.manager, NULL, 0, NULL, START, NULL));
    STATUS(SDS_INVALID_ID, sds_channel_open(alice.manager, long_id, sizeof long_id, NULL, START, NULL));
    STATUS(SDS_UNKNOWN_CHANNEL, sds_channel_close(alice.manager, TEXT("nowhere"), &error));
    CHECK(error.status == SDS_UNKNOWN_CHANNEL && strstr(error.text, "nowhere"));
    STATUS(SDS_EMPTY_CONTENT, sds_wrap_outgoing(alice.manager, CHANNEL, TEXT("m"), NULL, 0, START, &alice.out, NULL));
    STATUS(SDS_UNKNOWN_MESSAGE, sds_message_status(alice.manager, CHANNEL, TEXT("m"), &alice.out, NULL));
    OK(sds_wrap_outgoing(alice.manager, CHANNEL, TEXT("m"), BYTES("x"), START, &alice.out, NULL));
    STATUS(SDS_ID_REUSED, sds_wrap_outgoing(alice.manager, CHANNEL, TEXT("m"), BYTES("y"), START, &alice.out, NULL));

    CHECK(strcmp(sds_status_text(SDS_OK), sds_status_text(SDS_CLOSED)) != 0);
    CHECK(strcmp(sds_status_text(9999), "unknown status") == 0);

    party_close(&alice);
}

static void sizes(void) {
    struct party alice;
    struct packet packet;
    sds_config_t config;
    sds_channel_status_t status;
    sds_inspection_t numbers;
    sds_error_t small_error;
    uint8_t small[8];
    uint8_t *exact;
    size_t len = 7, next_len = 0, at = 0;
    party_open(&alice, "alice", SDS_PROFILE_RFC);

    STATUS(SDS_INVALID_SIZE, sds_config_init(&config, 3));
    OK(sds_config_init(&config, sizeof config));
    config.size = 1;
    STATUS(SDS_INVALID_SIZE, sds_manager_open(&config, &alice.manager, NULL));
    config.size = sizeof config;
    config.max_outputs = 1;
    STATUS(SDS_INVALID_CONFIG, sds_manager_open(&config, &alice.manager, NULL));
    status.size = 0;
    STATUS(SDS_INVALID_SIZE, sds_channel_status(alice.manager, CHANNEL, &status, NULL));
    party_wrap(&alice, "m1", "one", START, &packet);
    numbers.size = 0;
    STATUS(SDS_INVALID_SIZE, sds_inspect(packet.data, packet.len, &numbers, NULL, NULL));
    alice.record.size = 0;
    STATUS(SDS_INVALID_SIZE, sds_record_next(alice.out.data, alice.out.len, &at, &alice.record));
    // An error whose size is not set is left alone.
    memset(&small_error, 0, sizeof small_error);
    small_error.size = 4;
    STATUS(SDS_INVALID_HANDLE, sds_tick(0, START, &small_error));
    CHECK(small_error.status == 0 && small_error.text[0] == '\0');

    // Too little memory takes nothing and tells how much it takes; exactly that is enough.
    OK(sds_tick(alice.manager, START + 7000, NULL));
    STATUS(SDS_BUFFER_TOO_SMALL, sds_drain(alice.manager, small, sizeof small, &len, &next_len, NULL));
    CHECK(len == 7 && next_len > sizeof small);
    exact = (uint8_t *)malloc(next_len);
    OK(sds_drain(alice.manager, exact, next_len, &len, NULL, NULL));
    CHECK(len == next_len);
    free(exact);

    party_close(&alice);
}

static void bytes(void) {
    struct party alice;
    sds_record_t record;
    uint8_t junk[64];
    size_t at = 0, len;
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    record.size = sizeof record;

    for (len = 0; len <= sizeof junk; len++) {
        sds_status_t status;
        memset(junk, (int)(len * 37), len);
        at = 0;
        status = sds_record_next(junk, len, &at, &record);
        CHECK(status == (len == 0 ? SDS_END : SDS_MALFORMED) && at == 0);
        status = sds_unwrap_incoming(alice.manager, junk, len, START, &alice.out, NULL);
        CHECK(status == SDS_NOT_SDS || status == SDS_MALFORMED);
    }
    at = 1000;
    STATUS(SDS_END, sds_record_next(junk, sizeof junk, &at, &record));
    // A record that claims to be longer than the memory, and one shorter than its own head.
    memset(junk, 0, sizeof junk);
    at = 0;
    junk[0] = 65;
    STATUS(SDS_MALFORMED, sds_record_next(junk, sizeof junk, &at, &record));
    junk[0] = 4;
    STATUS(SDS_MALFORMED, sds_record_next(junk, sizeof junk, &at, &record));
    junk[0] = 0;
    STATUS(SDS_MALFORMED, sds_record_next(junk, sizeof junk, &at, &record));
    // One that ends within its head, after the lengths of its texts, which are all absent.
    memset(junk + 28, 0xff, 16);
    for (junk[0] = 44; junk[0] < 48; junk[0]++) {
        STATUS(SDS_MALFORMED, sds_record_next(junk, junk[0], &at, &record));
    }

    party_close(&alice);
}

void misuse_tests(void) {
    handles();
    texts();
    sizes();
    bytes();
}
