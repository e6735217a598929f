// What an engine is opened with.
import { bytesOf, Checks, invalid, stampOf, textOf } from "./checks.js";
import type { SdsConfig } from "./config.js";
import { SdsError } from "./errors.js";
import { storeFailed } from "./guard.js";
import type { SdsChannelOptions } from "./options.js";
import type { SdsStore } from "./store.js";
import type { ChannelId, ParticipantId } from "./types.js";
import { Engine, Records, Settings } from "./wasm/sds.js";

/** Messages that a store keeps by default. All are read at start. */
const STORED_MESSAGES = 10_000;

/** Refuses what the engine would take for something else. */
export function checkOpening(channelId: ChannelId, senderId: ParticipantId, options: SdsChannelOptions): void {
  if (typeof options !== "object" || options === null) throw invalid("the options of a channel", "an object");
  const { config, profile, seed, clock, broadcast, store } = options;
  if (config !== undefined && (typeof config !== "object" || config === null)) {
    throw new SdsError("INVALID_CONFIG", "config: has to be an object");
  }
  const checks = new Checks(config);
  checks.id(channelId, "a channel id");
  checks.id(senderId, "a participant id");
  if (profile !== undefined) textOf(profile, "a profile");
  if (seed !== undefined) stampOf(seed, "a seed");
  if (store !== undefined && (typeof store !== "object" || store === null)) throw invalid("a store", "an object");
  if (typeof broadcast !== "function") throw invalid("broadcast", "a function");
  for (const name of ["now", "setTimeout", "clearTimeout"] as const) {
    if (clock && typeof clock[name] !== "function") throw invalid(`clock.${name}`, "a function");
  }
}

/** The configuration, under the names that the engine has for it. */
function settingsOf(senderId: ParticipantId, { config = {}, seed, store }: SdsChannelOptions): Settings {
  const settings = new Settings(senderId, seed ?? randomSeed());
  const all: SdsConfig = store ? { storedMessages: STORED_MESSAGES, ...config } : config;
  const places = Settings.names().trim().split(" ");
  for (const [name, value] of Object.entries(all)) {
    if (value !== undefined) set(settings, places, name, value);
  }
  return settings;
}

function set(settings: Settings, places: string[], name: string, value: unknown): void {
  // The engine's own names: resend_interval_ms.
  const own = name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
  const place = places.indexOf(own);
  if (place < 0) throw new SdsError("INVALID_CONFIG", `config: there is no ${own}`);
  // Null, or text, would be a number too.
  const known = typeof value === "number" || typeof value === "boolean";
  if (!known || !settings.set(place, Number(value))) throw new SdsError("INVALID_CONFIG", `config: ${own}: cannot be that`);
}

function randomSeed(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0] as bigint;
}

/** An engine with the state that the store has. */
export async function engineOf(senderId: ParticipantId, options: SdsChannelOptions, nowMs: number): Promise<Engine> {
  const settings = settingsOf(senderId, options);
  return options.store ? Engine.restored(settings, await recordsOf(options.store), nowMs) : new Engine(settings);
}

async function recordsOf(store: SdsStore): Promise<Records> {
  const stored = await store.load();
  const records = new Records();
  try {
    for (const { channelId, key, value } of stored) {
      records.add(textOf(channelId, "a channel id"), bytesOf(key, "a key"), bytesOf(value, "a value"));
    }
  } catch (error) {
    records.free();
    // It is the store that gives them, and not our caller.
    throw error instanceof SdsError && error.code !== "INVALID_ARGUMENT" ? error : storeFailed(error, true);
  }
  return records;
}
