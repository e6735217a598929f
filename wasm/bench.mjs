// This package and @waku/sds in one Node process: the same payloads, on the same made-up time. Prints lines
// `bench: <name> <value> <unit>`, and fails if a figure is over its limit. `node --expose-gc bench.mjs`.
//
// Two members: one sends 200 bytes a second, the other receives them, and says something every tenth time, which acknowledges
// what was sent. At each history the mean of the calls that led there is taken, in processor time, all that an application does
// included: encoding, decoding, promises, and the garbage collector.
import { load, MemoryStore, SdsChannel } from "@status-im/sds";
import initialise from "./dist/wasm/sds.js";

const HISTORIES = [100, 1_000, 5_000];
const LONG = 100_000;
const LEAST_TIMES_FASTER_AT_1000 = 20;
const MOST_FLAT = 1.3;
const CALLS = 100;

const realNow = Date.now;
let now = 1_700_000_000_000;
Date.now = () => now;
const { Message, MessageChannel } = await import("@waku/sds");

const clock = { now: () => now, setTimeout: () => 0, clearTimeout: () => {} };
const payloadOf = (number) => {
  const payload = new Uint8Array(200).fill(7);
  new DataView(payload.buffer).setUint32(0, number);
  return payload;
};

async function ours(store) {
  const open = async (name) => {
    let bytes;
    const broadcast = (message) => void (bytes = message.bytes);
    const options = { broadcast, clock, run: false, store: store?.() };
    const channel = await SdsChannel.open("bench", name, options);
    return {
      wrap: async (payload) => (await channel.pushOutgoingMessage(payload), bytes),
      receive: (packet) => channel.pushIncomingMessage(packet),
      close: () => channel.close(),
    };
  };
  return [await open("alice"), await open("bob")];
}

async function theirs() {
  const open = (name) => {
    const channel = new MessageChannel("bench", name);
    return {
      async wrap(payload) {
        let bytes;
        channel.pushOutgoingMessage(payload, async (message) => ((bytes = message.encode()), { success: true }));
        await channel.processTasks();
        return bytes;
      },
      async receive(packet) {
        channel.pushIncomingMessage(Message.decode(packet));
        await channel.processTasks();
      },
      close: () => channel,
    };
  };
  return [open("alice"), open("bob")];
}

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
async function timed(list, call) {
  const start = process.cpuUsage();
  const value = await call();
  const { user, system } = process.cpuUsage(start);
  list.push(user + system);
  return value;
}

await load();
const { memory } = await initialise();
function bytesHeld() {
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers + memory.buffer.byteLength;
}

/** At each history: microseconds of a wrap and of a receive, bytes of a message; and what is held at the last of `histories`. */
async function measure(make, histories) {
  const before = bytesHeld();
  const [alice, bob] = await make();
  const figures = {};
  let number = 0;
  for (const history of histories) {
    const [wraps, receives] = [[], []];
    let size;
    while (number < history) {
      now += 1_000;
      const last = number >= history - CALLS;
      const packet = await timed(last ? wraps : [], () => alice.wrap(payloadOf(number)));
      await timed(last ? receives : [], () => bob.receive(packet));
      size = packet.length;
      number += 1;
      if (number % 10 === 0) await alice.receive(await bob.wrap(payloadOf(number + 2 ** 31)));
    }
    figures[history] = { wrap: mean(wraps), receive: mean(receives), size };
    if (history === HISTORIES.at(-1)) figures.held = bytesHeld() - before;
  }
  await alice.close();
  await bob.close();
  return figures;
}

const say = (name, value, unit) => console.log(`bench: ${name} ${value} ${unit}`);
// First what is held, since WebAssembly gives no memory back; and by then it is compiled.
const { held } = await measure(ours, [HISTORIES.at(-1)]);
await measure(theirs, [200]);
const mine = await measure(ours, [...HISTORIES, LONG]);
const stored = await measure(() => ours(() => new MemoryStore()), [1_000]);
const other = await measure(theirs, HISTORIES);
Date.now = realNow;

let failed = false;
const limit = (name, holds) => {
  if (holds) return;
  console.error(`over its limit: ${name}`);
  failed = true;
};
for (const call of ["wrap", "receive"]) {
  for (const history of HISTORIES) {
    const [a, b] = [mine[history][call], other[history][call]];
    say(`web_${call}_${history}`, a.toFixed(1), "us");
    say(`web_${call}_${history}_waku`, b.toFixed(1), "us");
    say(`web_${call}_${history}_times_faster`, (b / a).toFixed(1), "ratio");
    if (history === 1_000) limit(`web_${call}_${history}_times_faster`, b / a >= LEAST_TIMES_FASTER_AT_1000);
  }
  // From 1,000 on: before, the log is not full, and less is evicted.
  const flat = mine[LONG][call] / mine[1_000][call];
  say(`web_${call}_flat`, flat.toFixed(2), "ratio");
  limit(`web_${call}_flat`, flat <= MOST_FLAT);
  say(`web_${call}_1000_stored`, stored[1_000][call].toFixed(1), "us");
}
say("web_message_bytes", mine[1_000].size, "bytes");
say("web_message_bytes_waku", other[1_000].size, "bytes");
say("web_held_5000", (held / 2 ** 20).toFixed(1), "MiB");
say("web_held_5000_waku", (other.held / 2 ** 20).toFixed(1), "MiB");
process.exit(failed ? 1 : 0);
