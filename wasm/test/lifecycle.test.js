// The reliable channel when it begins, stops and ends, on networks that are early, late or wrong.
import assert from "node:assert/strict";
import { test } from "node:test";

import { MemoryStore, ReliableChannel, SdsChannel, SdsError } from "@status-im/sds";

import { bytes, idle, record, TestClock, text } from "./support/world.js";

const refusedAs = (code) => (error) => error instanceof SdsError && error.code === code;

/** Messages of somebody, as they go over the network. */
async function packets(count, clock) {
  const sent = [];
  const channel = await SdsChannel.open("garden", "bob", { broadcast: ({ bytes }) => void sent.push(bytes), clock, seed: 3n });
  for (let number = 0; number < count; number++) await channel.pushOutgoingMessage(bytes(`message ${number}`));
  await channel.close();
  return sent;
}

/** A network that does what `subscribe` says, and counts who listens. */
function networkOf(subscribe) {
  const network = { listening: 0, publish: async () => {} };
  network.subscribe = async (receive) => {
    network.receive = receive;
    network.listening += 1;
    await subscribe?.(receive);
    return () => void (network.listening -= 1);
  };
  return network;
}

test("what comes before create returns is told to who listens then", async () => {
  const clock = new TestClock();
  const [one, two, three] = await packets(3, clock);
  const network = networkOf(async (receive) => {
    receive({ payload: one });
    await idle();
    receive({ payload: two });
    await idle();
  });
  const make = async () => ReliableChannel.create(network, "garden", "alice", { clock });
  const channel = await make();
  network.receive({ payload: three });
  const events = record(channel, ["message-received"]);
  const status = record(channel.syncStatus, ["synced"]);
  await clock.advance(1);
  assert.deepEqual(events.map(([, { content }]) => text(content)), ["message 0", "message 1", "message 2"]);
  assert.deepEqual(status.at(-1)[1].received, 3);
  await channel.close();
});

test("a replay that a subscription begins with is heard, with autoStart off too", async () => {
  const clock = new TestClock();
  const [one] = await packets(1, clock);
  const replaying = networkOf();
  // Before anything is awaited.
  replaying.subscribe = (receive) => (receive({ payload: one }), Promise.resolve(() => {}));
  const channel = await ReliableChannel.create(replaying, "garden", "alice", { clock, autoStart: false });
  const events = record(channel, ["message-received"]);
  await channel.start();
  await idle();
  assert.equal(events.length, 1);
  await channel.close();
});

test("a network that brings no message is an error that is told, and no more", async () => {
  const clock = new TestClock();
  const network = networkOf();
  const channel = await ReliableChannel.create(network, "garden", "alice", { clock });
  const events = record(channel, ["error"]);
  await clock.advance(1);
  for (const message of [undefined, null, {}, { payload: "text" }, { payload: 5 }]) network.receive(message);
  await idle();
  assert.equal(events.length, 5);
  assert.ok(events.slice(2).every(([, error]) => refusedAs("INVALID_ARGUMENT")(error)));
  await channel.close();
});

test("closed, it cannot be started, and listens to nothing", async () => {
  const network = networkOf();
  const channel = await ReliableChannel.create(network, "garden", "alice", { clock: new TestClock() });
  const closing = channel.close();
  await assert.rejects(channel.start(), refusedAs("CLOSED"));
  await closing;
  await assert.rejects(channel.start(), refusedAs("CLOSED"));
  assert.deepEqual([network.listening, channel.isStarted], [0, false]);
});

test("started and at once stopped, it is stopped", async () => {
  const clock = new TestClock();
  const network = networkOf(idle);
  const channel = await ReliableChannel.create(network, "garden", "alice", { clock, autoStart: false });
  const starting = channel.start();
  await channel.stop();
  await starting;
  assert.deepEqual([network.listening, channel.isStarted, channel.sds.isRunning], [0, false, false]);
  // And the other way round: the second start is its own.
  await Promise.all([channel.start(), channel.stop(), channel.start()]);
  assert.deepEqual([network.listening, channel.isStarted, channel.sds.isRunning], [1, true, true]);
  await channel.close();
  assert.deepEqual([network.listening, clock.timers], [0, 0]);
});

test("a subscription that never answers does not keep the store", async () => {
  const store = new MemoryStore();
  const options = { clock: new TestClock(), store, autoStart: false };
  const channel = await ReliableChannel.create(networkOf(() => new Promise(() => {})), "garden", "alice", options);
  void channel.start();
  void channel.close();
  await idle();
  await (await ReliableChannel.create(networkOf(), "garden", "alice", options)).close();
});
