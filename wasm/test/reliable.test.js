// The reliable channel on a network that loses, delays and fails, on made-up time.
import assert from "node:assert/strict";
import { test } from "node:test";

import { MemoryStore, ReliableChannel, reliableChannelTag } from "@status-im/sds";

import { Bus, bytes, chance, idle, record, TestClock, text } from "./support/world.js";

const EVENTS = [
  "sending-message",
  "message-sent",
  "message-possibly-acknowledged",
  "message-acknowledged",
  "message-unacknowledged",
  "sending-message-irrecoverable-error",
  "message-received",
  "irretrievable-message",
  "error",
];

async function join(bus, clock, name, { seed = 1n, network, fetches = true, store = new MemoryStore(), ...options } = {}) {
  const side = network ?? bus.join({ fetches });
  const channel = await ReliableChannel.create(side, "garden", name, { clock, seed, store, ...options });
  const member = { name, channel, side, store, options, events: record(channel, EVENTS), clock };
  member.status = record(channel.syncStatus, ["synced", "syncing"]);
  return member;
}

const namesOf = ({ events }) => events.map(([name]) => name);
const textsOf = ({ events }) => events.filter(([name]) => name === "message-received").map(([, it]) => text(it.content));
const logOf = async ({ channel }) => (await channel.history({ limit: 1_000 })).map(({ content }) => text(content));

test("a message is sent, received and acknowledged, each told once", async () => {
  const clock = new TestClock();
  const bus = new Bus(clock);
  const [alice, bob] = [await join(bus, clock, "alice"), await join(bus, clock, "bob")];
  const messageId = alice.channel.send(bytes("hello"));
  await clock.advance(10_000);
  assert.deepEqual(textsOf(bob), ["hello"]);
  assert.deepEqual(alice.events, [
    ["sending-message", messageId],
    ["message-sent", messageId],
    ["message-acknowledged", messageId],
  ]);
  assert.deepEqual(alice.channel.syncStatus.current, { isSynced: true, received: 0, missing: 0, lost: 0, unacknowledged: 0 });
  assert.equal(bob.channel.syncStatus.current.received, 1);
});

// Without a store, at higher losses, a member may never hear the name of what it misses: see the README on names.
for (const [loss, fetches] of [[0.2, true], [0.5, true], [0.2, false], [0.3, false]]) {
  const way = fetches ? "with" : "without";
  test(`at a loss of ${loss}, ${way} a store in the network, four members end with one log`, async () => {
    const clock = new TestClock();
    const bus = new Bus(clock, { loss, seed: 11 });
    const members = [];
    for (const name of ["alice", "bob", "carol", "dave"]) {
      const config = { causalHistorySize: 10, dependencyTimeoutMs: 3_600_000 };
      members.push(await join(bus, clock, name, { fetches, config }));
    }
    const random = chance(5);
    for (let round = 0; round < 60; round++) {
      members[Math.floor(random() * 4)].channel.send(bytes(`message ${round}`));
      await clock.advance(Math.floor(3_000 * random()));
    }
    await clock.advance(1_200_000);
    const logs = await Promise.all(members.map(logOf));
    assert.equal(logs[0].length, 60);
    for (const log of logs) assert.deepEqual(log, logs[0]);
    for (const { channel, events } of members) {
      assert.equal(channel.syncStatus.current.isSynced, true);
      assert.equal(channel.syncStatus.current.unacknowledged, 0);
      assert.deepEqual(events.filter(([name]) => /error|irretrievable|unacknowledged/.test(name)), []);
    }
    assert.equal(members.some(({ side }) => side.fetched > 0), fetches);
  });
}

test("what is missing is fetched by its hash, and the status tells", async () => {
  const clock = new TestClock();
  const bus = new Bus(clock);
  const [alice, bob] = [await join(bus, clock, "alice"), await join(bus, clock, "bob")];
  bus.loss = 1;
  alice.channel.send(bytes("lost"));
  await clock.advance(1_000);
  bus.loss = 0;
  alice.channel.send(bytes("next"));
  await clock.advance(300);
  assert.deepEqual(textsOf(bob), ["lost", "next"]);
  assert.deepEqual(bob.status.map(([name, { missing }]) => [name, missing]).slice(0, 2), [["syncing", 1], ["synced", 0]]);
});

test("a store that fails is asked again, less and less often, until it answers", async () => {
  const clock = new TestClock();
  const bus = new Bus(clock);
  const [alice, bob] = [await join(bus, clock, "alice"), await join(bus, clock, "bob", { config: { repair: false } })];
  bus.loss = 1;
  alice.channel.send(bytes("lost"));
  await clock.advance(1_000);
  bus.loss = 0;
  const fetch = bob.side.fetch;
  const asked = [];
  bob.side.fetch = async () => {
    asked.push(clock.now());
    throw new Error("no store");
  };
  await alice.channel.sds.cancel(alice.events[0][1]);
  alice.channel.send(bytes("next"));
  await clock.advance(60_000);
  const gaps = asked.slice(1).map((at, index) => at - asked[index]);
  assert.deepEqual(gaps, [1_000, 2_000, 4_000, 8_000, 16_000]);
  bob.side.fetch = fetch;
  await clock.advance(60_000);
  assert.deepEqual(textsOf(bob), ["lost", "next"]);
});

test("offline the store is not asked, and back online it is asked at once", async () => {
  const clock = new TestClock();
  const bus = new Bus(clock);
  const [alice, bob] = [await join(bus, clock, "alice"), await join(bus, clock, "bob", { config: { repair: false } })];
  bus.loss = 1;
  alice.channel.send(bytes("lost"));
  await clock.advance(1_000);
  bus.loss = 0;
  const fetch = bob.side.fetch;
  let asks = 0;
  bob.side.fetch = async () => {
    asks += 1;
    return [];
  };
  await alice.channel.sds.cancel(alice.events[0][1]);
  alice.channel.send(bytes("next"));
  await clock.advance(60_000);
  // The next time would be half a minute away.
  const before = asks;
  await bob.channel.setOnline(false);
  await clock.advance(300_000);
  assert.equal(asks, before);
  bob.side.fetch = fetch;
  await bob.channel.setOnline(true);
  await clock.advance(100);
  assert.deepEqual(textsOf(bob), ["lost", "next"]);
});

test("what nobody has any more is given up, told, and not waited for", async () => {
  const clock = new TestClock();
  const bus = new Bus(clock);
  const alice = await join(bus, clock, "alice", { fetches: false });
  const bob = await join(bus, clock, "bob", { fetches: false });
  alice.side.online = false;
  const lost = alice.channel.send(bytes("lost"));
  await clock.advance(1_000);
  await alice.channel.sds.cancel(lost);
  alice.side.online = true;
  alice.channel.send(bytes("next"));
  await clock.advance(1_000);
  alice.side.online = false;
  assert.deepEqual(bob.channel.syncStatus.current.missing, 1);
  await clock.advance(700_000);
  assert.deepEqual(bob.events.filter(([name]) => name === "irretrievable-message").map(([, it]) => it.messageId), [lost]);
  assert.deepEqual(textsOf(bob), ["next"]);
  assert.deepEqual([bob.channel.syncStatus.current.isSynced, bob.channel.syncStatus.current.lost], [true, 1]);
});

test("a network that takes nothing, and one where nobody answers, end in different events", async () => {
  const clock = new TestClock();
  const bus = new Bus(clock);
  const alice = await join(bus, clock, "alice");
  alice.side.failing = true;
  const unsent = alice.channel.send(bytes("one"));
  await clock.advance(1_200_000);
  const errors = alice.events.filter(([name]) => name === "sending-message-irrecoverable-error");
  assert.deepEqual(errors.map(([, { messageId, error }]) => [messageId, error.message]), [[unsent, "the network takes nothing"]]);
  assert.ok(!namesOf(alice).includes("message-sent"));

  alice.events.length = 0;
  alice.side.failing = false;
  const unheard = alice.channel.send(bytes("two"));
  await clock.advance(1_200_000);
  const given = alice.events.filter(([name]) => name === "message-unacknowledged").map(([, it]) => it);
  assert.deepEqual(given, [{ messageId: unheard, probability: 0 }]);

  const bob = await join(bus, clock, "bob");
  await alice.channel.retry(unheard);
  // What the network never took is in no store: it is had from alice.
  await clock.advance(300_000);
  assert.ok(alice.events.some(([name, id]) => name === "message-acknowledged" && id === unheard));
  assert.deepEqual(textsOf(bob), ["one", "two"]);
});

test("away for an hour, and back: nothing was given up, and all is fetched", async () => {
  const clock = new TestClock();
  const bus = new Bus(clock);
  const [alice, bob] = [await join(bus, clock, "alice"), await join(bus, clock, "bob")];
  bob.side.online = false;
  await bob.channel.setOnline(false);
  bob.channel.send(bytes("from the tunnel"));
  for (let minute = 0; minute < 60; minute++) {
    alice.channel.send(bytes(`minute ${minute}`));
    await clock.advance(60_000);
  }
  assert.deepEqual(textsOf(bob), []);
  bob.side.online = true;
  await bob.channel.setOnline(true);
  await clock.advance(120_000);
  assert.equal(textsOf(bob).length, 60);
  assert.deepEqual(await logOf(bob), await logOf(alice));
  assert.ok(!bob.events.some(([name]) => /unacknowledged|irretrievable/.test(name)));
});

test("a reload in the middle loses nothing: what was missing is fetched, what was not acknowledged is resent", async () => {
  const clock = new TestClock();
  const bus = new Bus(clock);
  const alice = await join(bus, clock, "alice");
  let bob = await join(bus, clock, "bob");
  bus.loss = 1;
  alice.channel.send(bytes("lost"));
  bob.channel.send(bytes("unheard"));
  await clock.advance(1_000);
  bus.loss = 0;
  bob.side.fetch = async () => [];
  alice.channel.send(bytes("next"));
  await clock.advance(300);
  assert.deepEqual(textsOf(bob), []);
  await bob.channel.close();
  await clock.advance(5_000);
  bob = await join(bus, clock, "bob", { network: bus.join(), store: bob.store });
  await clock.advance(30_000);
  assert.deepEqual(textsOf(bob), ["lost", "next"]);
  assert.deepEqual(await logOf(bob), await logOf(alice));
});

test("bytes of others, and broken ones, do no harm", async () => {
  const clock = new TestClock();
  const bus = new Bus(clock);
  const [alice, bob] = [await join(bus, clock, "alice"), await join(bus, clock, "bob")];
  const stranger = bus.join();
  const kitchen = await ReliableChannel.create(bus.join(), "kitchen", "carol", { clock, seed: 9n });
  kitchen.send(bytes("for others"));
  await stranger.publish(bytes("something else"));
  await stranger.publish(new Uint8Array());
  let packet;
  const tap = bus.join();
  await tap.subscribe(({ payload }) => (packet = payload));
  alice.channel.send(bytes("hello"));
  await clock.advance(1_000);
  await stranger.publish(packet.slice(0, 100));
  await clock.advance(10_000);
  assert.deepEqual(textsOf(bob), ["hello"]);
  assert.deepEqual(bob.events.filter(([name]) => name === "error").map(([, { code }]) => code), ["MALFORMED"]);
});

test("a codec is on the wire: the tag of the API, or encryption", async () => {
  const clock = new TestClock();
  const bus = new Bus(clock);
  const tagged = { codec: reliableChannelTag };
  const [alice, bob] = [await join(bus, clock, "alice", tagged), await join(bus, clock, "bob", tagged)];
  const plain = await join(bus, clock, "carol");
  const packets = [];
  await bus.join().subscribe(({ payload }) => packets.push(payload));
  alice.channel.send(bytes("hello"));
  plain.channel.send(bytes("untagged"));
  await clock.advance(5_000);
  assert.deepEqual(textsOf(bob), ["hello"]);
  assert.ok(packets.some((packet) => text(packet).startsWith("RELIABLE-CHANNEL-API/1")));

  const xor = (payload) => payload.map((byte) => byte ^ 0x5a);
  const secret = { codec: { encode: async (it) => xor(it), decode: async (it) => xor(it) } };
  const quiet = new Bus(clock);
  const [dave, eve] = [await join(quiet, clock, "dave", secret), await join(quiet, clock, "eve", secret)];
  dave.channel.send(bytes("secret"));
  await clock.advance(5_000);
  assert.deepEqual(textsOf(eve), ["secret"]);
});

test("stopped it hears nothing, started again it catches up; ephemeral messages are for now", async () => {
  const clock = new TestClock();
  const bus = new Bus(clock);
  const [alice, bob] = [await join(bus, clock, "alice"), await join(bus, clock, "bob")];
  await alice.channel.sendEphemeral(bytes("is typing"));
  await clock.advance(1_000);
  assert.deepEqual(textsOf(bob), ["is typing"]);
  assert.deepEqual(await logOf(bob), []);
  await bob.channel.stop();
  assert.equal(bob.channel.isStarted, false);
  alice.channel.send(bytes("missed"));
  await clock.advance(1_000);
  await bob.channel.start();
  alice.channel.send(bytes("next"));
  await clock.advance(2_000);
  assert.deepEqual(textsOf(bob), ["is typing", "missed", "next"]);
  await bob.channel.close();
  await alice.channel.close();
  await idle();
  assert.throws(() => bob.channel.send(bytes("x")), { code: "CLOSED" });
});

test("a network that cannot be had is an error of create, and leaves nothing behind", async () => {
  const clock = new TestClock();
  const network = { publish: async () => {}, subscribe: async () => Promise.reject(new Error("no peers")) };
  await assert.rejects(ReliableChannel.create(network, "garden", "alice", { clock }), /no peers/);
  assert.equal(clock.timers, 0);
});
