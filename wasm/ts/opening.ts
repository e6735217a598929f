// What an engine is opened with.
import type { SdsConfig } from "./config.js";
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
  for (const [name, value] of Object.entries(all)) {
    // The engine's own names: resend_interval_ms.
    if (value !== undefined) settings.set(name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`), Number(value));
  }
  return settings;
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
