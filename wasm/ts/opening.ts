// What an engine is opened with.
import type { SdsConfig } from "./config.js";
import { SdsError } from "./errors.js";
import type { SdsChannelOptions } from "./options.js";
import type { SdsStore } from "./store.js";
import type { ParticipantId } from "./types.js";
import { Records, Settings } from "./wasm/sds.js";

/** Messages that a store keeps by default. All are read at start. */
const STORED_MESSAGES = 10_000;

/** The configuration, under the names that the engine has for it. */
export function settingsOf(senderId: ParticipantId, { config = {}, seed, store }: SdsChannelOptions): Settings {
  const settings = new Settings(senderId, seed ?? randomSeed());
  const all: SdsConfig = store ? { storedMessages: STORED_MESSAGES, ...config } : config;
  const places = Settings.names().trim().split(" ");
  for (const [name, value] of Object.entries(all)) {
    if (value !== undefined) set(settings, places, name, Number(value));
  }
  return settings;
}

function set(settings: Settings, places: string[], name: string, value: number): void {
  // The engine's own names: resend_interval_ms.
  const own = name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
  const place = places.indexOf(own);
  if (place < 0) throw new SdsError("INVALID_CONFIG", `config: there is no ${own}`);
  if (!settings.set(place, value)) throw new SdsError("INVALID_CONFIG", `config: ${own}: cannot be that`);
}

function randomSeed(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0] as bigint;
}

/** All that a store has. */
export async function recordsOf(store: SdsStore): Promise<Records> {
  const records = new Records();
  for (const { channelId, key, value } of await store.load()) records.add(channelId, key, value);
  return records;
}
