// The parts of the page that need no browser.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { after, test } from "node:test";

import { createServer } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const vite = await createServer({
  root,
  logLevel: "error",
  appType: "custom",
  optimizeDeps: { noDiscovery: true },
  server: { middlewareMode: true, ws: false, watch: null },
});
after(() => vite.close());
const [{ layOut }, { threadsOf }, { decodePost, encodePost }, { readFrame }, { settingsOf }] = await Promise.all(
  ["graph/layout", "threads", "posts", "network/frames", "settings"].map((name) => vite.ssrLoadModule(`/src/${name}.ts`)),
);

/** A message: who, when, what it names, and what it says. */
function entry(messageId, lamport, names = [], post = { kind: "question", title: messageId, text: "" }) {
  const named = names.map((name) => ({ messageId: name }));
  return { messageId, senderId: messageId[0], lamport: BigInt(lamport), post, names: named, own: false, waiting: false, late: false };
}

const answerTo = (to) => ({ kind: "answer", to, text: "yes" });

test("the graph draws each dependency, and tells which ones say nothing new", () => {
  const { edges, lanes, nodes } = layOut([entry("a1", 1), entry("b1", 2, ["a1"]), entry("a2", 3, ["b1", "a1"])], []);
  assert.deepEqual(lanes, ["a", "b"]);
  assert.deepEqual(nodes.map(({ messageId, column, lane }) => [messageId, column, lane]), [["a1", 0, 0], ["b1", 1, 1], ["a2", 2, 0]]);
  assert.deepEqual(edges.map(({ from, to, implied }) => [from, to, implied]), [
    ["b1", "a1", false],
    ["a2", "b1", false],
    ["a2", "a1", true],
  ]);
});

test("who names itself or what comes later makes no cycle", () => {
  const { edges, past } = layOut([entry("a1", 1, ["a1", "b1"]), entry("b1", 2, ["a1"])], []);
  assert.deepEqual(edges.map(({ from, to }) => [from, to]), [["b1", "a1"]]);
  assert.equal(past.get("a1").size, 0);
});

test("what is not here has its place before the first that names it, in the graph and in the thread", () => {
  const entries = [entry("a1", 1), entry("a2", 3, ["b1", "a1"], answerTo("a1")), entry("a3", 4, ["b1"], answerTo("a1"))];
  const gaps = [{ messageId: "b1", senderId: "b", lost: false }, { messageId: "c1", lost: true }];
  const { nodes } = layOut(entries, gaps);
  assert.deepEqual(nodes.map(({ messageId, state }) => [messageId, state]), [
    ["a1", "here"],
    ["b1", "missing"],
    ["a2", "here"],
    ["a3", "here"],
  ]);
  const [{ lines, answers }] = threadsOf(entries, gaps);
  assert.deepEqual(lines.map(({ kind }) => kind), ["gap", "entry", "entry"]);
  assert.equal(answers, 2);
});

test("the liveliest thread comes first, and answers keep a place for their question", () => {
  const entries = [entry("a1", 1), entry("b1", 2), entry("a2", 3, [], answerTo("a1")), entry("c1", 4, [], answerTo("unknown"))];
  const threads = threadsOf(entries, []);
  assert.deepEqual(threads.map(({ questionId, question }) => [questionId, question?.messageId]), [
    ["unknown", undefined],
    ["a1", "a1"],
    ["b1", "b1"],
  ]);
});

test("a post is read as it was written, and anything else is none", () => {
  for (const post of [{ kind: "question", title: "Why?", text: "" }, answerTo("a1")]) {
    assert.deepEqual(decodePost(encodePost(post)), post);
  }
  const bytes = (text) => new TextEncoder().encode(text);
  const strange = ["", "null", "[]", '"text"', "{", '{"kind":"question","title":1,"text":""}', '{"kind":"answer","to":"a","text":" "}'];
  for (const text of strange) assert.equal(decodePost(bytes(text)), undefined, text);
  assert.equal(decodePost(Uint8Array.of(0xff, 0xfe)), undefined);
  assert.equal(decodePost(encodePost({ kind: "question", title: "x".repeat(141), text: "" })), undefined);
});

test("frames of other pages are none", () => {
  const payload = Uint8Array.of(1);
  assert.deepEqual(readFrame({ kind: "message", payload }), { kind: "message", payload });
  const strange = [null, 1, "hello", {}, { kind: "message", payload: "text" }, { kind: "weather", lossPercent: 101 }];
  strange.push({ kind: "fetch", hashes: [payload] }, { kind: "found", request: "1", payloads: [1] });
  strange.push({ kind: "fetch", request: "1", hashes: Array(101).fill(payload) });
  for (const data of strange) assert.equal(readFrame(data), undefined, JSON.stringify(data));
});

test("the address is read, and what makes no sense in it is left out", () => {
  const { seed, lossPercent, lostAfterMs, repair, channelId } = settingsOf("http://a/?seed=7&loss=x&lost-after=2&repair=off");
  assert.deepEqual([seed, lossPercent, lostAfterMs, repair, channelId], [7, undefined, 2_000, false, "garden"]);
});
