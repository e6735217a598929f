// What a host may do around the calls: give memory that overlaps, ids with NULs in them, fork, and open and close a
// thousand times.
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#include "party.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

void boundary_tests(void);

// What a call reads must not lie in the buffer that it writes to: that may move. A natural mistake, since records point
// into such buffers.
static void overlapping_buffer(void) {
    struct party alice;
    struct packet packet;
    sds_record_t *record = &alice.record;
    sds_inspection_t numbers;
    size_t lengths[1];
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    party_wrap(&alice, "m", "one", START, &packet);
    numbers.size = sizeof numbers;
    lengths[0] = record->data_len;

    STATUS(SDS_INVALID_ARGUMENT,
           sds_unwrap_incoming(alice.manager, record->data, record->data_len, START, &alice.out, NULL));
    STATUS(SDS_INVALID_ARGUMENT,
           sds_unwrap_incoming_batch(alice.manager, record->data, lengths, 1, START, &alice.out, NULL));
    STATUS(SDS_INVALID_ARGUMENT, sds_inspect(record->data, record->data_len, &numbers, &alice.out, NULL));
    STATUS(SDS_INVALID_ARGUMENT, sds_message_status(alice.manager, CHANNEL, record->message_id, record->message_id_len,
                                                    &alice.out, NULL));
    STATUS(SDS_INVALID_ARGUMENT,
           sds_next_history(alice.manager, record->channel_id, record->channel_id_len, &alice.out, NULL));
    STATUS(SDS_INVALID_ARGUMENT,
           sds_channel_dump(alice.manager, record->channel_id, record->channel_id_len, &alice.out, NULL));
    STATUS(SDS_INVALID_ARGUMENT, sds_wrap_outgoing(alice.manager, CHANNEL, TEXT("n"), record->data, record->data_len,
                                                   START, &alice.out, NULL));
    STATUS(SDS_INVALID_ARGUMENT, sds_wrap_ephemeral(alice.manager, CHANNEL, record->message_id, record->message_id_len,
                                                    BYTES("x"), START, &alice.out, NULL));
    // All that was refused left no trace, and the record is what it was.
    CHECK(is_text(record->message_id, record->message_id_len, "m"));
    CHECK(record->data_len == packet.len && memcmp(record->data, packet.data, packet.len) == 0);
    // Without a buffer nothing overlaps.
    OK(sds_inspect(record->data, record->data_len, &numbers, NULL, NULL));
    party_close(&alice);
}

// Nor must anything else that a call writes, since the data may be freed where it was; nor the buffer lie in its own data.
static void outputs_in_the_buffer(void) {
    struct party alice;
    struct packet packet;
    sds_buffer_t *itself = (sds_buffer_t *)calloc(1, 64);
    sds_buffer_t *out = &alice.out;
    sds_error_t error;
    uint8_t memory[64];
    size_t len = 7;
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    party_wrap(&alice, "m", "one", START, &packet);
    sds_buffer_free(out);
    error.size = sizeof error;
    // As large as they take, and too small for any result.
    out->data = (uint8_t *)calloc(1, sizeof error);
    out->capacity = sizeof error;
    ((sds_error_t *)out->data)->size = sizeof error;
    STATUS(SDS_INVALID_ARGUMENT, sds_unwrap_incoming(alice.manager, (const uint8_t *)"junk", 4, START, out,
                                                     (sds_error_t *)out->data));
    CHECK(((sds_error_t *)out->data)->status == SDS_INVALID_ARGUMENT && out->capacity == sizeof error);
    ((sds_inspection_t *)out->data)->size = sizeof(sds_inspection_t);
    STATUS(SDS_INVALID_ARGUMENT,
           sds_inspect(packet.data, packet.len, (sds_inspection_t *)out->data, out, &error));
    CHECK(strstr(error.text, "writes"));
    STATUS(SDS_INVALID_ARGUMENT, sds_wrap_outgoing_into(alice.manager, CHANNEL, TEXT("n"), BYTES("x"), START, memory,
                                                        sizeof memory, (size_t *)out->data, out, NULL));
    STATUS(SDS_INVALID_ARGUMENT, sds_wrap_outgoing_into(alice.manager, CHANNEL, TEXT("n"), BYTES("x"), START,
                                                        out->data + 8, 8, &len, out, NULL));
    STATUS(SDS_INVALID_ARGUMENT, sds_wrap_outgoing_into(alice.manager, CHANNEL, TEXT("n"), BYTES("x"), START, memory,
                                                        sizeof memory, &out->len, out, NULL));
    itself->data = (uint8_t *)itself;
    itself->capacity = 64;
    STATUS(SDS_INVALID_ARGUMENT, sds_channel_list(alice.manager, itself, NULL));
    CHECK(itself->capacity == 64 && len == 7);
    STATUS(SDS_UNKNOWN_MESSAGE, sds_message_status(alice.manager, CHANNEL, TEXT("n"), out, NULL));
    free(itself);
    party_close(&alice);
}

// What is refused for its size does not make the buffer grow: a stranger chooses it.
static void a_huge_packet(void) {
    struct party alice;
    const size_t len = (size_t)64 << 20;
    uint8_t *packet = (uint8_t *)calloc(1, len);
    size_t lengths[2];
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    STATUS(SDS_TOO_LARGE, sds_unwrap_incoming(alice.manager, packet, len, START, &alice.out, NULL));
    CHECK(alice.out.capacity <= (size_t)8 << 20);
    lengths[0] = len - 1, lengths[1] = 1;
    OK(sds_unwrap_incoming_batch(alice.manager, packet, lengths, 2, START, &alice.out, NULL));
    CHECK(alice.out.capacity <= (size_t)8 << 20);
    free(packet);
    party_close(&alice);
}

// Numbers that a call writes may be one and the same, or lie in other memory of the call: the last one written stays.
static void overlapping_numbers(void) {
    struct party alice;
    union {
        uint8_t bytes[65536];
        size_t number;
        sds_record_t record;
    } memory;
    struct packet packet;
    size_t len = 0, at = 0;
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    party_wrap(&alice, "m", "one", START, &packet);
    OK(sds_tick(alice.manager, START + 7000, NULL));
    OK(sds_drain(alice.manager, memory.bytes, sizeof memory.bytes, &len, &len, NULL));
    CHECK(len > 0);
    OK(sds_tick(alice.manager, START + 60000, NULL));
    OK(sds_drain(alice.manager, memory.bytes, sizeof memory.bytes, &memory.number, NULL, NULL));
    CHECK(memory.number > 0);

    // A record may be decoded over its own bytes; what it points to is then gone, and nothing is read beyond it.
    CHECK(alice.out.len < sizeof memory);
    memcpy(memory.bytes, alice.out.data, alice.out.len);
    memory.record.size = sizeof memory.record;
    STATUS(SDS_MALFORMED, sds_record_next(memory.bytes, alice.out.len, &at, &memory.record));
    party_close(&alice);
}

static void embedded_nuls(void) {
    struct party alice;
    struct packet packet;
    sds_error_t error;
    size_t at = 0;
    error.size = sizeof error;
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    OK(sds_channel_open(alice.manager, "a\0b", 3, NULL, START, NULL));
    STATUS(SDS_UNKNOWN_CHANNEL, sds_channel_close(alice.manager, "a", 1, NULL));
    STATUS(SDS_UNKNOWN_CHANNEL, sds_channel_close(alice.manager, "a\0c", 3, &error));
    CHECK(memchr(error.text, '\0', sizeof error.text) != NULL);
    OK(sds_wrap_outgoing(alice.manager, "a\0b", 3, "m\0n", 3, (const uint8_t *)"\0\0", 2, START, &alice.out, NULL));
    party_read(&alice);
    CHECK(alice.record.channel_id_len == 3 && memcmp(alice.record.channel_id, "a\0b", 3) == 0);
    CHECK(alice.record.message_id_len == 3 && memcmp(alice.record.message_id, "m\0n", 3) == 0);
    memcpy(packet.data, alice.record.data, alice.record.data_len);
    packet.len = alice.record.data_len;
    OK(sds_channel_list(alice.manager, &alice.out, NULL));
    alice.record.size = sizeof alice.record;
    OK(sds_record_next(alice.out.data, alice.out.len, &at, &alice.record));
    CHECK(alice.record.channel_id_len == 3 && memcmp(alice.record.channel_id, "a\0b", 3) == 0);
    CHECK(party_unwrap(&alice, &packet, START) == SDS_DISPOSITION_OWN);
    party_close(&alice);
}

// A child has a copy of everything: it uses that, closes it and makes its own, and the parent notices nothing.
static void in_the_child(struct party *alice) {
    struct party bob;
    struct packet packet;
    failures = 0;
    party_wrap(alice, "child's", "one", START, &packet);
    OK(sds_tick(alice->manager, START + 7000, NULL));
    party_drain(alice);
    party_close(alice);
    STATUS(SDS_CLOSED, sds_tick(alice->manager, START, NULL));
    party_open(&bob, "bob", SDS_PROFILE_RFC);
    party_wrap(&bob, "bob's", "two", START, &packet);
    OK(sds_shutdown(NULL));
    STATUS(SDS_CLOSED, sds_tick(bob.manager, START, NULL));
    sds_buffer_free(&bob.out);
}

static void a_fork(void) {
    struct party alice;
    struct packet packet;
    int status = -1;
    pid_t child;
    party_open(&alice, "alice", SDS_PROFILE_RFC);
    party_wrap(&alice, "before", "one", START, &packet);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        in_the_child(&alice);
        fflush(stdout);
        _exit(failures == 0 ? 0 : 1);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    party_wrap(&alice, "after", "two", START, &packet);
    STATUS(SDS_UNKNOWN_MESSAGE, sds_message_status(alice.manager, CHANNEL, TEXT("child's"), &alice.out, NULL));
    party_close(&alice);
}

// No file descriptor and no thread: before, while managers are open and work, and after.
static void held_from_the_system(void) {
    const int files = entries_of("/proc/self/fd"), threads = entries_of("/proc/self/task");
    int round;
    for (round = 0; round < 1000; round++) {
        sds_manager_t manager;
        sds_config_t config;
        OK(sds_config_init(&config, sizeof config));
        OK(sds_manager_open(&config, &manager, NULL));
        OK(sds_channel_open(manager, CHANNEL, NULL, START, NULL));
        OK(sds_tick(manager, START + 60000, NULL));
        if (round % 100 == 0) {
            CHECK(entries_of("/proc/self/fd") == files);
            CHECK(entries_of("/proc/self/task") == threads);
        }
        OK(sds_manager_close(manager, NULL));
        STATUS(SDS_CLOSED, sds_manager_close(manager, NULL));
    }
    CHECK(entries_of("/proc/self/fd") == files);
    CHECK(entries_of("/proc/self/task") == threads);
}

void boundary_tests(void) {
    overlapping_buffer();
    outputs_in_the_buffer();
    a_huge_packet();
    overlapping_numbers();
    embedded_nuls();
    a_fork();
    held_from_the_system();
}
