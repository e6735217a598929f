// What is promised of the package as a whole: its README runs, its types fit, its lists are whole.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { promisify } from "node:util";

import { Settings } from "../dist/wasm/sds.js";
import * as sds from "@status-im/sds";

const run = promisify(execFile);
const here = (path) => new URL(`../${path}`, import.meta.url);
const read = (path) => readFile(here(path), "utf8");

test("the README's example runs, and says what it should", async () => {
  const [, example] = (await read("README.md")).match(/```js\n([\s\S]*?)```/);
  const file = here("test/built-example.mjs");
  await writeFile(file, example);
  const { stdout } = await run(process.execPath, [file.pathname]);
  assert.match(stdout, /^alice-phone says who waters the tomatoes\?\n/);
  assert.match(stdout, /somebody has it\n$/);
});

const compiled = (config) => run(process.execPath, ["node_modules/typescript/bin/tsc", "-p", config], { cwd: here("").pathname });

/** What the README's example for Waku has around it. */
const AROUND_WAKU = `
import type { IDecodedMessage, IDecoder, IEncoder, IProtoMessage, IWaku } from "@waku/interfaces";
import { IndexedDbStore, ReliableChannel, wakuNetwork } from "@status-im/sds";
// As in @waku/core and @waku/sdk, which are not here.
declare const messageHash: (pubsubTopic: string, message: IProtoMessage | IDecodedMessage) => Uint8Array;
type Topic = { contentTopic: string };
type Node = IWaku & { createEncoder(of: Topic): IEncoder; createDecoder(of: Topic): IDecoder<IDecodedMessage> };
declare const createLightNode: (options: { defaultBootstrap: boolean }) => Promise<Node>;
declare const contentTopic: string, channelId: string, participantId: string;
`;

test("the README's examples are what the types say", async () => {
  const readme = await read("README.md");
  const [, example] = readme.match(/```js\n([\s\S]*?)```/);
  const [, waku] = readme.match(/```ts\n([\s\S]*?)```/);
  await writeFile(here("test/built-example.mjs"), example);
  await writeFile(here("test/built-waku.ts"), AROUND_WAKU + waku.replace(/^import .*\n/gm, ""));
  await compiled("tsconfig.readme.json");
});

test("bundlers for Node keep what says where the .wasm is", async () => {
  const { sideEffects, exports } = JSON.parse(await read("package.json"));
  assert.deepEqual(sideEffects, [exports["."].node]);
});

test("the types fit those of @waku/sdk, and users' mistakes are mistakes", async () => {
  await compiled("tsconfig.test.json");
});

test("every field of the configuration is known to both sides", async () => {
  await sds.load();
  const source = await read("ts/config.ts");
  const fields = [...source.matchAll(/^ {2}(\w+)\?: /gm)].map(([, name]) => name);
  const own = fields.map((name) => name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`));
  // Of no use with one channel: each channel has an engine of its own.
  const left = ["auto_open_channels", "max_channels", "unload_after_ms"];
  const known = Settings.names().trim().split(" ");
  assert.deepEqual([...own, ...left].sort(), known.toSorted());
  const engine = await read("../src/config.rs");
  const [, body] = engine.match(/pub struct Config \{([\s\S]*?)\n\}/);
  const all = [...body.matchAll(/^ {4}pub (\w+):/gm)].map(([, name]) => name);
  const others = ["participant_id", "seed", "profile"];
  assert.deepEqual([...known, ...others].sort(), all.sort());
});

test("every count of the status has a type, and every code of an error", async () => {
  const types = await read("ts/types.ts");
  const [, body] = types.match(/interface ChannelStatus \{([\s\S]*?)\n\}/);
  const named = [...body.matchAll(/readonly (\w+): number/g)].map(([, name]) => name);
  const channel = await sds.SdsChannel.open("garden", "alice", { broadcast: () => {}, run: false });
  assert.deepEqual(Object.keys(channel.status()).sort(), named.sort());
  await channel.close();
  const codes = [...(await read("src/shapes.rs")).matchAll(/"([A-Z]{2,}(?:_[A-Z0-9]+)*)"/g)].map(([, code]) => code);
  const typed = await read("ts/errors.ts");
  assert.ok(codes.length > 20);
  for (const code of codes) assert.ok(typed.includes(`| "${code}"`), code);
});

test("the .wasm asks nothing of its host but to make objects", async () => {
  const wasm = await readFile(here("dist/wasm/sds_bg.wasm"));
  const imports = WebAssembly.Module.imports(await WebAssembly.compile(wasm));
  assert.deepEqual([...new Set(imports.map(({ module }) => module))].sort(), ["../shapes.js", "./sds_bg.js"]);
  const asked = imports.map(({ name }) => name).filter((name) => /_(now|random|getRandomValues|Date|performance|setTimeout)_/.test(name));
  assert.deepEqual(asked, []);
});
