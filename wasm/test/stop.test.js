// What an application sees when the engine stops: for a bug, or as here for want of memory. It is of no use after that, so
// this test is alone in its process.
import assert from "node:assert/strict";
import { test } from "node:test";

import init from "../dist/wasm/sds.js";
import { load, MemoryStore, SdsChannel, SdsError } from "@status-im/sds";

const PAGE_BYTES = 65_536;
const MOST_PAGES = 65_536;

test("an engine that stops throws a RuntimeError, sends nothing more, and leaves what was stored", async () => {
  await load();
  const { memory } = await init();
  const [store, sent] = [new MemoryStore(), []];
  const broadcast = ({ messageId }) => void sent.push(messageId);
  const channel = await SdsChannel.open("garden", "alice", { broadcast, store, run: false });
  const { messageId } = await channel.pushOutgoingMessage(new TextEncoder().encode("before"));
  const before = (await store.load()).length;

  memory.grow(MOST_PAGES - memory.buffer.byteLength / PAGE_BYTES - 1);
  const stopped = (error) => error instanceof WebAssembly.RuntimeError && !(error instanceof SdsError);
  const send = (size) => channel.pushOutgoingMessage(new Uint8Array(size).fill(1));
  const fill = async (size) => {
    for (;;) await send(size);
  };
  // Until there is no room for anything.
  for (let size = 100_000; size >= 1; size = Math.floor(size / 10)) await assert.rejects(() => fill(size), stopped);
  const count = sent.length;
  await assert.rejects(() => send(1), stopped);
  assert.deepEqual([sent[0], sent.length], [messageId, count]);
  // What was stored is there for who opens the channel on it after a reload: more of it than at first.
  assert.ok((await store.load()).length > before);
});
