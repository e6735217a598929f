// State in a file: what survives, what is read back, and what is refused and left as it is.
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "party.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void store_tests(void);

static char folder[] = "/tmp/sds-c-XXXXXX";
static char path[64];

// The one participant here whose state is in a file, opened as a host would at every start.
static sds_status_t try_open(struct party *party, const char *name, uint64_t now_ms, sds_error_t *error) {
    sds_config_t config;
    OK(sds_config_init(&config, sizeof config));
    config.participant_id = name;
    config.participant_id_len = strlen(name);
    memset(party, 0, sizeof *party);
    return sds_manager_open_store(&config, TEXT(path), SDS_SYNCHRONOUS_OFF, now_ms, &party->manager, error);
}

static sds_status_t try_open_other(uint64_t now_ms) {
    static struct party other;
    return try_open(&other, "alice", now_ms, NULL);
}

static void open_again(struct party *party, const char *name, uint64_t now_ms) {
    OK(try_open(party, name, now_ms, NULL));
}

static void forget_file(void) {
    char other[80];
    const char *ends[] = {"", "-wal", "-shm"};
    size_t i;
    for (i = 0; i < 3; i++) {
        snprintf(other, sizeof other, "%s%s", path, ends[i]);
        remove(other);
    }
}

// ---- What survives

static void what_was_sent_and_received_survives(void) {
    static struct party alice, bob;
    static struct packet hello, answer, lost, after_lost, again;
    sds_channel_status_t status;
    open_again(&alice, "alice", START);
    OK(sds_channel_open(alice.manager, CHANNEL, NULL, START, NULL));
    party_open(&bob, "bob", SDS_PROFILE_RFC);
    party_wrap(&alice, "a1", "hello", START, &hello);
    CHECK(!(alice.record.flags & SDS_FLAG_HELD));
    CHECK(party_unwrap(&bob, &hello, START) == SDS_DISPOSITION_DELIVERED);
    party_wrap(&bob, "b1", "lost on its way", START + 1, &lost);
    party_wrap(&bob, "b2", "names it", START + 2, &after_lost);
    CHECK(party_unwrap(&alice, &after_lost, START + 2) == SDS_DISPOSITION_WAITING);
    party_close(&alice);

    // Closed, that file is all there is. The channel is open, and knows what it sent, received and misses.
    open_again(&alice, "alice", START + 60000);
    status.size = sizeof status;
    OK(sds_channel_status(alice.manager, CHANNEL, &status, NULL));
    CHECK(status.sent == 1 && status.waiting == 1 && status.missing == 1);
    // Bob named it, so that it is acknowledged, and is so still.
    OK(sds_message_status(alice.manager, CHANNEL, TEXT("a1"), &alice.out, NULL));
    party_read(&alice);
    CHECK(alice.record.code == SDS_STATE_ACKNOWLEDGED);
    CHECK(party_unwrap(&alice, &lost, START + 60000) == SDS_DISPOSITION_DELIVERED);
    CHECK(party_told(&alice, SDS_RECORD_DELIVERED, "b2"));
    CHECK(party_unwrap(&alice, &after_lost, START + 60001) == SDS_DISPOSITION_DUPLICATE);
    STATUS(SDS_ID_REUSED,
           sds_wrap_outgoing(alice.manager, CHANNEL, TEXT("a1"), BYTES("other"), START + 60001, &alice.out, NULL));
    party_wrap(&alice, "a2", "unheard", START + 60001, &answer);
    party_close(&alice);

    // And what nobody confirmed is sent again.
    open_again(&alice, "alice", START + 120000);
    OK(sds_tick(alice.manager, START + 130000, NULL));
    CHECK(party_told(&alice, SDS_RECORD_TRANSMIT, "a2"));
    CHECK(alice.record.code == SDS_REASON_RESEND && alice.record.data_len <= sizeof again.data);
    memcpy(again.data, alice.record.data, alice.record.data_len);
    again.len = alice.record.data_len;
    CHECK(party_unwrap(&bob, &again, START + 130000) == SDS_DISPOSITION_DELIVERED);
    party_close(&alice);
    party_close(&bob);
}

// ---- The log, after what was just said

static void the_log_is_read_in_pages(void) {
    static struct party alice;
    const char *ids[] = {"a1", "b1", "b2", "a2"};
    const char *contents[] = {"hello", "lost on its way", "names it", "unheard"};
    const uint32_t flags[] = {SDS_FLAG_SENT, 0, 0, SDS_FLAG_SENT};
    uint64_t after_ms = 0;
    char after_id[8] = "";
    size_t pages = 0, seen = 0;
    uint32_t more = 1;
    open_again(&alice, "alice", START + 200000);
    OK(sds_set_retrieval_hint(alice.manager, CHANNEL, TEXT("b1"), BYTES("where it lies"), NULL));
    for (; more; pages++) {
        size_t at = 0, offset;
        sds_entry_t entry;
        OK(sds_read_log(alice.manager, CHANNEL, after_ms, TEXT(after_id), 3, &alice.out, &more, NULL));
        alice.record.size = sizeof alice.record;
        while (sds_record_next(alice.out.data, alice.out.len, &at, &alice.record) == SDS_OK) {
            CHECK(alice.record.kind == SDS_RECORD_LOGGED && seen < 4);
            CHECK(is_text(alice.record.channel_id, alice.record.channel_id_len, "chat"));
            CHECK(is_text(alice.record.message_id, alice.record.message_id_len, ids[seen]));
            CHECK(is_text(alice.record.sender_id, alice.record.sender_id_len, *ids[seen] == 'a' ? "alice" : "bob"));
            CHECK(is_bytes(alice.record.data, alice.record.data_len, contents[seen]));
            CHECK((alice.record.flags & SDS_FLAG_SENT) == flags[seen] && !(alice.record.flags & SDS_FLAG_LATE));
            CHECK(alice.record.number >= (double)START && alice.record.number <= (double)START + 60001);
            CHECK(alice.record.lamport_timestamp_ms >= after_ms);
            CHECK(alice.record.entry_count == (seen == 1));
            if (alice.record.entry_count == 1) {
                offset = 0;
                entry.size = sizeof entry;
                OK(sds_entry_next(&alice.record, &offset, &entry));
                CHECK(is_bytes(entry.retrieval_hint, entry.retrieval_hint_len, "where it lies"));
            }
            after_ms = alice.record.lamport_timestamp_ms;
            snprintf(after_id, sizeof after_id, "%.*s", (int)alice.record.message_id_len, alice.record.message_id);
            seen++;
        }
    }
    CHECK(pages == 2 && seen == 4);
    // A timestamp and no id: from that one on.
    OK(sds_read_log(alice.manager, CHANNEL, after_ms, NULL, 0, 10, &alice.out, NULL, NULL));
    party_read(&alice);
    CHECK(is_text(alice.record.message_id, alice.record.message_id_len, "a2"));
    STATUS(SDS_UNKNOWN_CHANNEL, sds_read_log(alice.manager, TEXT("none"), 0, NULL, 0, 10, &alice.out, NULL, NULL));
    // It is not for the host to keep.
    {
        uint64_t number = 7;
        STATUS(SDS_WRONG_STORE, sds_offer(alice.manager, &number, &alice.out, NULL));
        CHECK(number == 7);
        STATUS(SDS_WRONG_STORE, sds_confirm(alice.manager, 1, NULL));
    }
    OK(sds_flush(alice.manager, NULL));
    party_close(&alice);
}

static void a_history_is_seeded_once(void) {
    static struct party alice, bob;
    static struct packet old, packet;
    sds_known_t known[2];
    size_t added = 7;
    int i;
    forget_file();
    open_again(&alice, "alice", START);
    party_open(&bob, "bob", SDS_PROFILE_RFC);
    OK(sds_channel_open(alice.manager, CHANNEL, NULL, START, NULL));
    party_wrap(&bob, "h1", "long ago", START - 5000, &old);
    party_wrap(&bob, "h2", "not so long", START - 4000, &old);
    memset(known, 0, sizeof known);
    for (i = 0; i < 2; i++) {
        known[i].size = sizeof known[i];
        known[i].message_id = i ? "h2" : "h1", known[i].message_id_len = 2;
        known[i].sender_id = "bob", known[i].sender_id_len = 3;
        known[i].lamport_timestamp_ms = START - 5000 + 1000 * (uint64_t)i;
    }
    known[1].size = 3;
    STATUS(SDS_INVALID_SIZE, sds_seed_history(alice.manager, CHANNEL, known, 2, START, &added, NULL));
    known[1].size = sizeof known[1];
    OK(sds_seed_history(alice.manager, CHANNEL, known, 2, START, &added, NULL));
    CHECK(added == 2);
    party_close(&alice);

    open_again(&alice, "alice", START + 1000);
    OK(sds_seed_history(alice.manager, CHANNEL, known, 2, START + 1000, &added, NULL));
    CHECK(added == 0);
    // What names them finds them there; and should one come after all, it is none that was missing.
    party_wrap(&bob, "b1", "and now", START + 1000, &packet);
    CHECK(party_unwrap(&alice, &packet, START + 1000) == SDS_DISPOSITION_DELIVERED);
    CHECK(!party_told(&alice, SDS_RECORD_MISSING, "h1"));
    CHECK(party_unwrap(&alice, &old, START + 1001) == SDS_DISPOSITION_DUPLICATE);
    party_close(&alice);
    party_close(&bob);
}

// ---- What is refused

// The whole file.
struct file {
    uint8_t data[1 << 18];
    size_t len;
};

static void file_read(struct file *file) {
    FILE *stream = fopen(path, "rb");
    CHECK(stream != NULL);
    file->len = stream ? fread(file->data, 1, sizeof file->data, stream) : 0;
    CHECK(file->len < sizeof file->data);
    if (stream) {
        fclose(stream);
    }
}

static void file_write(const struct file *file) {
    FILE *stream = fopen(path, "wb");
    CHECK(stream && fwrite(file->data, 1, file->len, stream) == file->len);
    if (stream) {
        fclose(stream);
    }
}

// Opening fails, says why, and leaves the file as it was.
static void refused(const char *name, sds_status_t wanted, const char *says, int line) {
    static struct party party;
    static struct file before, after;
    sds_error_t error;
    memset(&error, 0, sizeof error);
    error.size = sizeof error;
    file_read(&before);
    check_status(try_open(&party, name, START, &error), wanted, says, __FILE__, line);
    check(party.manager == 0 && strstr(error.text, says) != NULL, error.text, __FILE__, line);
    file_read(&after);
    check(before.len == after.len && memcmp(before.data, after.data, after.len) == 0, says, __FILE__, line);
}
#define REFUSED(name, wanted, says) refused(name, SDS_STORE_##wanted, says, __LINE__)

static void what_is_not_ours_is_left_as_it_is(void) {
    static struct party alice;
    static struct file good, bad;
    size_t i;
    forget_file();
    open_again(&alice, "alice", START);
    OK(sds_channel_open(alice.manager, CHANNEL, NULL, START, NULL));
    REFUSED("alice", FAILED, "locked");
    party_close(&alice);
    file_read(&good);
    CHECK(good.len > 4096 && memcmp(good.data, "SQLite format 3", 16) == 0);

    REFUSED("bob", UNUSABLE, "participant \"alice\", not of \"bob\"");
    bad = good;
    memcpy(bad.data + 68, "\x01\x02\x03\x04", 4);  // the application id
    file_write(&bad);
    REFUSED("alice", UNUSABLE, "another application");
    bad = good;
    bad.data[63] = 99;  // the end of the user version
    file_write(&bad);
    REFUSED("alice", UNUSABLE, "later version: schema 99");
    // What is no database at all.
    for (i = 0; i < bad.len; i++) {
        bad.data[i] = (uint8_t)("not a database\n"[i % 15]);
    }
    file_write(&bad);
    REFUSED("alice", UNUSABLE, "damaged");
    // Torn in the middle of what describes the tables.
    bad = good;
    memset(bad.data + 100, 0xff, 300);
    file_write(&bad);
    REFUSED("alice", UNUSABLE, "damaged");

    file_write(&good);
    open_again(&alice, "alice", START + 1);
    party_close(&alice);
    snprintf(path, sizeof path, "%s/none/there", folder);
    STATUS(SDS_STORE_FAILED, try_open(&alice, "alice", START, NULL));
    CHECK(alice.manager == 0);
    snprintf(path, sizeof path, "%s/alice.sds", folder);
}

// Who may do everything is no test of what may not be written: the child is nobody.
static void a_folder_that_cannot_be_written(mode_t mode, const char *says) {
    int state = 0;
    pid_t child;
    static struct party alice;
    sds_error_t error;
    CHECK(chmod(folder, 0555) == 0 && chmod(path, mode) == 0);
    fflush(stdout);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        sds_status_t status;
        int ok = getuid() != 0 || setuid(65534) == 0;
        memset(&error, 0, sizeof error);
        error.size = sizeof error;
        status = try_open(&alice, "alice", START + 2, &error);
        ok = ok && status == SDS_STORE_FAILED && strstr(error.text, says);
        if (!ok) {
            printf("read-only: status %d, \"%s\"\n", (int)status, error.text);
            fflush(stdout);
        }
        _exit(ok ? 0 : 1);
    }
    CHECK(waitpid(child, &state, 0) == child && WIFEXITED(state) && WEXITSTATUS(state) == 0);
    CHECK(chmod(folder, 0700) == 0 && chmod(path, 0600) == 0);
    open_again(&alice, "alice", START + 3);
    party_close(&alice);
}

// The disk is full, as the child sees it: the limit is that of its files, and lies where they end now.
static int full_disk(void) {
    static struct party alice;
    struct rlimit limit;
    struct stat log;
    char wal[80];
    int told;
    signal(SIGXFSZ, SIG_IGN);
    open_again(&alice, "alice", START + 10);
    OK(sds_wrap_outgoing(alice.manager, CHANNEL, TEXT("before"), BYTES("x"), START + 10, &alice.out, NULL));
    snprintf(wal, sizeof wal, "%s-wal", path);
    CHECK(stat(wal, &log) == 0 && getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = (rlim_t)log.st_size;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    // The first is taken, and waits; the second finds the store failing, and is not.
    STATUS(SDS_STORE_FAILED,
           sds_wrap_outgoing(alice.manager, CHANNEL, TEXT("full"), BYTES("x"), START + 11, &alice.out, NULL));
    STATUS(SDS_STORE_FAILED,
           sds_wrap_outgoing(alice.manager, CHANNEL, TEXT("none"), BYTES("x"), START + 12, &alice.out, NULL));
    party_drain(&alice);
    CHECK(!party_next(&alice));
    // There is room again.
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    OK(sds_tick(alice.manager, START + 13, NULL));
    told = party_told(&alice, SDS_RECORD_TRANSMIT, "full");
    CHECK(told && alice.record.code == SDS_REASON_PUBLISH);
    STATUS(SDS_UNKNOWN_MESSAGE, sds_message_status(alice.manager, CHANNEL, TEXT("none"), &alice.out, NULL));
    // And none at the end: closed is closed, and that not all was stored is told.
    CHECK(stat(wal, &log) == 0);
    limit.rlim_cur = 1;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    STATUS(SDS_STORE_FAILED, sds_manager_close(alice.manager, NULL));
    STATUS(SDS_CLOSED, sds_tick(alice.manager, START + 14, NULL));
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    sds_buffer_free(&alice.out);
    open_again(&alice, "alice", START + 15);
    OK(sds_message_status(alice.manager, CHANNEL, TEXT("full"), &alice.out, NULL));
    party_close(&alice);
    return failures;
}

static void a_full_disk_is_told_and_loses_nothing(void) {
    int state = 0, failed = failures;
    pid_t child;
    fflush(stdout);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        int worse = full_disk() != failed;
        fflush(stdout);
        _exit(worse);
    }
    CHECK(waitpid(child, &state, 0) == child && WIFEXITED(state) && WEXITSTATUS(state) == 0);
}

static void wrong_arguments_make_no_file(void) {
    static struct party alice;
    sds_config_t config;
    forget_file();
    OK(sds_config_init(&config, sizeof config));
    config.max_outputs = 1;
    STATUS(SDS_INVALID_CONFIG,
           sds_manager_open_store(&config, TEXT(path), SDS_SYNCHRONOUS_FULL, START, &alice.manager, NULL));
    OK(sds_config_init(&config, sizeof config));
    STATUS(SDS_INVALID_ARGUMENT, sds_manager_open_store(&config, TEXT(path), 3, START, &alice.manager, NULL));
    CHECK(access(path, F_OK) != 0);
}

// Open, SQLite's own files and nothing else; closed, nothing.
static void held_from_the_system(void) {
    const int files = entries_of("/proc/self/fd"), threads = entries_of("/proc/self/task");
    static struct party alice;
    static struct packet packet;
    int round, open = 0;
    char id[16];
    forget_file();
    for (round = 0; round < 1000; round++) {
        const uint64_t now_ms = START + 60000 * (uint64_t)round;
        open_again(&alice, "alice", now_ms);
        OK(sds_channel_open(alice.manager, CHANNEL, NULL, now_ms, NULL));
        if (round % 100 == 0) {
            snprintf(id, sizeof id, "m%d", round);
            party_wrap(&alice, id, "hello", now_ms, &packet);
            open = round == 0 ? entries_of("/proc/self/fd") : open;
            // The database, its log, and the memory that goes with that.
            CHECK(entries_of("/proc/self/fd") == open && open <= files + 3);
            CHECK(entries_of("/proc/self/task") == threads);
            // The file is one manager's.
            STATUS(SDS_STORE_FAILED, try_open_other(now_ms));
        }
        party_close(&alice);
    }
    CHECK(entries_of("/proc/self/fd") == files);
    CHECK(entries_of("/proc/self/task") == threads);
}

void store_tests(void) {
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/alice.sds", folder);
    what_was_sent_and_received_survives();
    the_log_is_read_in_pages();
    a_history_is_seeded_once();
    what_is_not_ours_is_left_as_it_is();
    a_folder_that_cannot_be_written(0444, "cannot be written");
    a_folder_that_cannot_be_written(0666, "cannot be written");
    a_full_disk_is_told_and_loses_nothing();
    wrong_arguments_make_no_file();
    held_from_the_system();
    forget_file();
    CHECK(rmdir(folder) == 0);
}
