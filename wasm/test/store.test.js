// State that outlives the page: both stores, one contract; then what a channel promises with one.
import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { IndexedDbStore, MemoryStore, SdsChannel, SdsError, SdsEvent } from "@status-im/sds";

import { bytes, chance, idle, record, TestClock, text } from "./support/world.js";

const refusedAs = (code) => (error) => error instanceof SdsError && error.code === code;
const key = (kind, number) => Uint8Array.from({ length: 17 }, (_, at) => (at === 0 ? kind : at === 16 ? number : 0));
const place = (stamp, messageId) => ({ stamp: stamp.toString(16).padStart(16, "0"), messageId });

/** Each kind of store: opens the one of a name, again if it is closed. */
function stores() {
  const memories = new Map();
  return {
    MemoryStore: async (name) => {
      if (!memories.has(name)) memories.set(name, new MemoryStore());
      return memories.get(name);
    },
    IndexedDbStore: (name) => IndexedDbStore.open(name),
  };
}

for (const [kind, open] of Object.entries(stores())) {
  describe(kind, () => {
    const put = (channelId, at, value, more) => ({ kind: "put", channelId, key: at, value: bytes(value), ...more });
    const all = async (store) =>
      (await store.load()).map(({ channelId, key, value }) => [channelId, key[0], key[16], text(value)]).sort();

    test("what was written is there, in another object too, and what was deleted is not", async () => {
      const store = await open("records");
      await store.commit([put("", key(0, 0), "own"), put("a", key(0, 0), "head"), put("a", key(3, 1), "x")]);
      await store.commit([put("a", key(0, 0), "head 2"), put("b", key(0, 0), "other"), put("ab", key(0, 0), "more")]);
      await store.commit([{ kind: "delete", channelId: "a", key: key(3, 1) }]);
      const expected = [["", 0, 0, "own"], ["a", 0, 0, "head 2"], ["ab", 0, 0, "more"], ["b", 0, 0, "other"]];
      assert.deepEqual(await all(store), expected);
      await store.close();
      const again = await open("records");
      assert.deepEqual(await all(again), expected);
      await again.commit([{ kind: "forget", channelId: "a" }]);
      assert.deepEqual(await all(again), [expected[0], expected[2], expected[3]]);
      await again.commit([{ kind: "wipe" }, put("c", key(0, 0), "new")]);
      assert.deepEqual(await all(again), [["c", 0, 0, "new"]]);
      await again.close();
    });

    test("the log comes in its order and in pages, from either end", async () => {
      const store = await open("log");
      const message = (number, stamp, id) => put("a", key(1, number), id, { place: place(stamp, id) });
      // By arrival, and not by time.
      await store.commit([message(1, 30, "e"), message(2, 10, "b"), message(3, 10, "a"), message(4, 2 ** 40, "f")]);
      await store.commit([message(5, 20, "c"), message(6, 20, "d"), put("a", key(2, 5), "beside"), put("b", key(0, 0), "")]);
      await store.commit([put("b", key(1, 1), "other", { place: place(1, "other") })]);
      const page = async (query) => (await store.page("a", query)).map(({ value }) => text(value)).join("");
      assert.equal(await page({ limit: 100 }), "abcdef");
      assert.equal(await page({ limit: 2 }), "ef");
      assert.equal(await page({ limit: 2, before: place(30, "e") }), "cd");
      assert.equal(await page({ limit: 9, before: place(10, "a") }), "");
      assert.equal(await page({ limit: 2, after: place(10, "b") }), "cd");
      assert.equal(await page({ limit: 9, after: place(10, "b"), before: place(30, "e") }), "cd");
      assert.equal(await page({ limit: 9, after: place(2 ** 40, "f") }), "");
      const sides = (await store.page("a", { limit: 100 })).map(({ side }) => side && text(side));
      assert.deepEqual(sides, [undefined, undefined, "beside", undefined, undefined, undefined]);
      await store.close();
    });

    test("a channel goes on after a reload as if nothing had happened", async () => {
      const clock = new TestClock();
      const [alice, bob] = [await life("alice", open, clock), await life("bob", open, clock)];
      const random = chance(3);
      const shown = new Map();
      for (let round = 0; round < 60; round++) {
        const [from, to] = random() < 0.5 ? [alice, bob] : [bob, alice];
        const { messageId } = await from.channel.pushOutgoingMessage(bytes(`message ${round}`));
        shown.set(messageId, `message ${round}`);
        // A third gets lost.
        for (const { bytes } of from.sent.splice(0)) {
          if (random() < 0.67) await to.channel.pushIncomingMessage(bytes);
        }
        if (random() < 0.2) await from.reload();
        if (random() < 0.2) await to.reload();
        await clock.advance(2_000);
      }
      for (let minutes = 0; minutes < 40; minutes++) {
        await clock.advance(60_000);
        for (const [from, to] of [[alice, bob], [bob, alice]]) {
          for (const { bytes } of from.sent.splice(0)) await to.channel.pushIncomingMessage(bytes);
        }
      }
      assert.ok(alice.reloads > 5 && bob.reloads > 5);
      for (const { channel, delivered } of [alice, bob]) {
        const status = channel.status();
        assert.deepEqual([status.missing, status.waiting, status.lost, status.unacknowledged], [0, 0, 0, 0]);
        // Each message of the other once, however often the page was loaded.
        assert.equal(new Set(delivered).size, delivered.length);
        assert.equal(delivered.length, status.received);
      }
      const logs = [await wholeLog(alice.channel), await wholeLog(bob.channel)];
      assert.deepEqual(logs[0], logs[1]);
      assert.deepEqual(new Map(logs[0]), shown);
      await alice.channel.close();
      await bob.channel.close();
    });
  });
}

/** A participant whose page is loaded again and again. */
async function life(name, openStore, clock) {
  const member = { sent: [], delivered: [], reloads: 0, channel: undefined };
  const open = async () => {
    const store = await openStore(`life of ${name}`);
    const broadcast = (message) => void member.sent.push(message);
    member.channel = await SdsChannel.open("garden", name, { store, clock, broadcast, seed: 5n });
    member.channel.addEventListener(SdsEvent.InMessageDelivered, ({ detail }) => member.delivered.push(detail.messageId));
  };
  member.reload = async () => {
    member.reloads += 1;
    await member.channel.close();
    await open();
  };
  await open();
  return member;
}

/** All of a log, page by page: id and text. */
async function wholeLog(channel) {
  const log = [];
  for (let page = await channel.history({ after: { lamportTimestamp: 0n, messageId: "" }, limit: 7 }); page.length > 0; ) {
    log.push(...page.map(({ messageId, content }) => [messageId, text(content)]));
    page = await channel.history({ after: page.at(-1), limit: 7 });
  }
  return log;
}

/** A store whose commits wait to be let through, or fail. */
class SlowStore extends MemoryStore {
  waiting = [];
  commits = 0;
  held = false;
  failing = false;

  async commit(writes) {
    if (this.held) await new Promise((go) => this.waiting.push(go));
    if (this.failing) throw new Error("the disk is full");
    this.commits += 1;
    await super.commit(writes);
  }

  letThrough() {
    this.held = false;
    for (const go of this.waiting.splice(0)) go();
  }
}

async function withSlowStore(name, clock = new TestClock()) {
  const store = new SlowStore();
  const sent = [];
  const broadcast = (message) => void sent.push(message);
  const channel = await SdsChannel.open("garden", name, { store, broadcast, clock, seed: 1n });
  return { channel, store, sent, clock, events: record(channel, Object.values(SdsEvent)) };
}

const textsOf = (events) =>
  events.filter(([name]) => name === SdsEvent.InMessageDelivered).map(([, { content }]) => text(content));

test("nothing is broadcast or delivered before it is stored", async () => {
  const alice = await withSlowStore("alice");
  const bob = await withSlowStore("bob");
  alice.store.held = true;
  const sending = alice.channel.pushOutgoingMessage(bytes("hello"));
  await idle();
  assert.deepEqual(alice.sent, []);
  alice.store.letThrough();
  await sending;
  assert.equal(alice.sent.length, 1);

  bob.store.held = true;
  const receiving = bob.channel.pushIncomingMessage(alice.sent[0].bytes);
  await idle();
  assert.deepEqual(bob.events, []);
  bob.store.letThrough();
  await receiving;
  assert.deepEqual(textsOf(bob.events), ["hello"]);
});

test("what comes while the store is busy is stored together, and delivered in causal order", async () => {
  const alice = await withSlowStore("alice");
  for (const word of ["one", "two", "three", "four"]) await alice.channel.pushOutgoingMessage(bytes(word));
  const bob = await withSlowStore("bob");
  bob.store.held = true;
  const commits = bob.store.commits;
  // The third and fourth wait for the second, which waits for the first.
  const packets = [3, 1, 0, 2].map((at) => bob.channel.pushIncomingMessage(alice.sent[at].bytes));
  await idle();
  bob.store.letThrough();
  const dispositions = (await Promise.all(packets)).map(({ disposition }) => disposition);
  assert.deepEqual(dispositions, ["waiting", "waiting", "delivered", "delivered"]);
  assert.deepEqual(textsOf(bob.events), ["one", "two", "three", "four"]);
  assert.ok(bob.store.commits - commits <= 2, "one that was under way, and one for the rest");
});

test("a store that fails loses nothing: it is told, and made up for", async () => {
  const alice = await withSlowStore("alice");
  alice.store.failing = true;
  await assert.rejects(alice.channel.pushOutgoingMessage(bytes("hello")), /the disk is full/);
  assert.deepEqual(alice.sent, []);
  await alice.clock.advance(6_000);
  assert.ok(alice.events.some(([name, detail]) => name === SdsEvent.ErrorTask && /disk/.test(detail.message)));
  assert.deepEqual(alice.sent, []);
  alice.store.failing = false;
  await alice.clock.advance(6_000);
  assert.equal(alice.sent[0].reason, "publish");
  assert.equal((await alice.channel.history()).length, 1);
});

test("the history has what is needed to show it after a reload", async () => {
  const clock = new TestClock();
  const [alice, bob] = [await withSlowStore("alice", clock), await withSlowStore("bob", clock)];
  const hint = bytes("where it is");
  const callback = (message) => (alice.sent.push(message), { success: true, retrievalHint: hint });
  await alice.channel.pushOutgoingMessage(bytes("hello"), callback);
  await bob.channel.pushIncomingMessage(alice.sent[0].bytes, hint);
  const [mine] = await alice.channel.history();
  const [theirs] = await bob.channel.history();
  assert.deepEqual([mine.sent, theirs.sent, mine.own, theirs.own], [true, false, false, false]);
  assert.deepEqual([text(mine.content), text(theirs.content)], ["hello", "hello"]);
  assert.deepEqual([text(mine.retrievalHint), text(theirs.retrievalHint)], ["where it is", "where it is"]);
  assert.deepEqual([mine.senderId, theirs.senderId], ["alice", "alice"]);
  assert.equal(mine.lamportTimestamp, theirs.lamportTimestamp);
  assert.equal(theirs.receivedMs, clock.now());
});

test("the state of another participant, or damaged state, is refused", async () => {
  const { channel, store } = await withSlowStore("alice");
  await channel.close();
  const open = (name, from) => SdsChannel.open("garden", name, { store: from, broadcast: () => {} });
  await assert.rejects(open("bob", store), refusedAs("STORE_UNUSABLE"));
  const damaged = new MemoryStore();
  const records = await store.load();
  await damaged.commit(records.map((record) => ({ kind: "put", ...record, value: record.value.slice(3) })));
  await assert.rejects(open("alice", damaged), refusedAs("STORE_UNUSABLE"));
  const strange = new MemoryStore();
  await strange.commit([{ kind: "put", channelId: "garden", key: bytes("?"), value: bytes("?") }]);
  await assert.rejects(open("alice", strange), refusedAs("STORE_UNUSABLE"));
});

test("a forgotten channel leaves nothing behind but the participant", async () => {
  const { channel, store } = await withSlowStore("alice");
  await channel.pushOutgoingMessage(bytes("hello"));
  await channel.forget();
  assert.deepEqual((await store.load()).map(({ channelId }) => channelId), [""]);
});

/** What browsers do, of the locks between tabs. */
function browserLocks() {
  const held = new Map();
  return {
    async request(name, { ifAvailable = false, signal }, callback) {
      while (held.has(name)) {
        if (ifAvailable) return callback(null);
        const aborted = new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        await Promise.race([held.get(name), aborted]);
      }
      const done = Promise.resolve(callback({ name })).finally(() => held.delete(name));
      held.set(name, done);
      return done;
    },
  };
}

test("no two tabs use one store", async () => {
  const locks = browserLocks();
  const store = await IndexedDbStore.open("shared", { locks });
  await assert.rejects(IndexedDbStore.open("shared", { locks }), refusedAs("STORE_LOCKED"));
  const other = await IndexedDbStore.open("not shared", { locks });
  await store.close();
  await idle();
  await (await IndexedDbStore.open("shared", { locks })).close();
  await other.close();
  await IndexedDbStore.delete("shared");
});

test("a page that is loaded again waits for the one that it replaces", async () => {
  const locks = browserLocks();
  const before = await IndexedDbStore.open("again", { locks });
  await assert.rejects(IndexedDbStore.open("again", { locks, waitMs: 1 }), refusedAs("STORE_LOCKED"));
  const opening = IndexedDbStore.open("again", { locks, waitMs: 60_000 });
  await idle();
  await before.close();
  await (await opening).close();
  await IndexedDbStore.delete("again");
});

test("a database that fails is an error of the store, and nothing of it is kept", async () => {
  const store = await IndexedDbStore.open("failing");
  await store.close();
  await assert.rejects(store.load(), refusedAs("STORE_FAILED"));
  await assert.rejects(store.commit([]), refusedAs("STORE_FAILED"));
  await assert.rejects(store.page("a", { limit: 1 }), refusedAs("STORE_FAILED"));
  const again = await IndexedDbStore.open("failing");
  const good = { kind: "put", channelId: "a", key: key(0, 0), value: bytes("x") };
  await assert.rejects(again.commit([good, { ...good, key: {} }]), refusedAs("STORE_FAILED"));
  assert.deepEqual(await again.load(), []);
  await again.close();
});

test("one store object serves one channel, until that is closed", async () => {
  const store = new MemoryStore();
  const open = (more) => SdsChannel.open("garden", "alice", { store, broadcast: () => {}, ...more });
  const channel = await open();
  await assert.rejects(open(), refusedAs("STORE_LOCKED"));
  await channel.close();
  // What fails to open holds nothing.
  await assert.rejects(open({ profile: "other" }), refusedAs("INVALID_ARGUMENT"));
  await (await open()).close();
});

test("a store that is open is not deleted", async () => {
  const locks = browserLocks();
  const store = await IndexedDbStore.open("in use", { locks });
  await store.commit([{ kind: "put", channelId: "a", key: key(0, 0), value: bytes("x") }]);
  await assert.rejects(IndexedDbStore.delete("in use", { locks }), refusedAs("STORE_LOCKED"));
  assert.equal((await store.load()).length, 1);
  await store.close();
  await idle();
  await IndexedDbStore.delete("in use", { locks });
  const again = await IndexedDbStore.open("in use", { locks });
  assert.deepEqual(await again.load(), []);
  await again.close();
});

test("what a store of one's own throws is an error of the store, with its cause", async () => {
  const broken = new Error("no disk");
  class Broken extends MemoryStore {
    fails = "";
    async load() {
      if (this.fails === "load") throw broken;
      return super.load();
    }
    page(...query) {
      if (this.fails === "page") throw broken;
      return super.page(...query);
    }
    async commit(writes) {
      if (this.fails === "commit") throw broken;
      await super.commit(writes);
    }
    async close() {
      if (this.fails === "close") throw broken;
    }
  }
  const failed = (error) => refusedAs("STORE_FAILED")(error) && error.cause === broken;
  const store = new Broken();
  const open = () => SdsChannel.open("garden", "alice", { store, broadcast: () => {}, clock: new TestClock() });
  store.fails = "load";
  await assert.rejects(open(), failed);
  store.fails = "";
  const channel = await open();
  store.fails = "commit";
  await assert.rejects(channel.pushOutgoingMessage(bytes("hello")), failed);
  store.fails = "page";
  await assert.rejects(channel.history(), failed);
  store.fails = "close";
  await assert.rejects(channel.close(), failed);
  await assert.rejects(SdsChannel.open("garden", "alice", { store: {}, broadcast: () => {} }), refusedAs("STORE_FAILED"));
  for (const records of [undefined, [null], [{}], [{ channelId: "garden", key: "k", value: bytes("v") }]]) {
    const odd = Object.assign(new MemoryStore(), { load: async () => records });
    await assert.rejects(SdsChannel.open("garden", "alice", { store: odd, broadcast: () => {} }), refusedAs("STORE_FAILED"));
  }
});

test("a history is asked for in whole numbers, and is the same from every store", async () => {
  for (const store of [new MemoryStore(), await IndexedDbStore.open("limits")]) {
    const channel = await SdsChannel.open("garden", "alice", { store, broadcast: () => {}, clock: new TestClock() });
    for (const word of ["one", "two", "three"]) await channel.pushOutgoingMessage(bytes(word));
    const [first, second, third] = await channel.history();
    const texts = async (query) => (await channel.history(query)).map(({ content }) => text(content));
    assert.deepEqual(await texts({ limit: 0 }), []);
    assert.deepEqual(await texts({ limit: 0, after: first }), []);
    assert.deepEqual(await texts({ limit: Number.MAX_SAFE_INTEGER, after: first }), ["two", "three"]);
    assert.deepEqual(await texts({ after: first, before: third }), ["two"]);
    assert.deepEqual(await texts({ after: second, before: second }), []);
    assert.deepEqual(await texts({ after: third, before: first }), []);
    for (const limit of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "2", null]) {
      await assert.rejects(channel.history({ limit }), refusedAs("INVALID_ARGUMENT"));
    }
    await assert.rejects(channel.history({ after: { lamportTimestamp: 5, messageId: "m" } }), refusedAs("INVALID_ARGUMENT"));
    await channel.close();
  }
});
