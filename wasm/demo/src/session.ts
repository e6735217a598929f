import { IndexedDbStore, type ParticipantId, ReliableChannel, type SdsConfig, SdsError } from "@status-im/sds";

import { chance } from "./chance.js";
import { Offline, TabNetwork } from "./network/tabs.js";
import { Weather } from "./network/weather.js";
import { Notes } from "./notes.js";
import { newParticipant, rememberedParticipant } from "./participant.js";
import type { Settings } from "./settings.js";
import { Witness } from "./witness.js";

/** All that one participant has. The channel is not started yet. */
export interface Session {
  readonly participantId: ParticipantId;
  readonly channel: ReliableChannel;
  readonly network: TabNetwork;
  readonly witness: Witness;
  readonly notes: Notes;
}

/** Opens what this tab had before it was loaded again, or begins anew. */
export async function openSession(settings: Settings): Promise<Session> {
  const { channelId, lossPercent } = settings;
  const { participantId, store } = await claim(settings);
  const seed = settings.seed ?? (crypto.getRandomValues(new Uint32Array(1))[0] as number);
  const network = new TabNetwork(channelId, new Weather(chance(seed)), lossPercent);
  const witness = new Witness();
  const channel = await ReliableChannel.create(witness.watch(network), channelId, participantId, {
    store,
    config: configOf(settings),
    autoStart: false,
  });
  return { participantId, channel, network, witness, notes: await Notes.open(storeName(settings, participantId)) };
}

/** An error that is worth telling people. That an offline tab reaches nobody is not. */
export function isWorthTelling(error: unknown): boolean {
  return !(error instanceof Offline);
}

/** The participant of this tab, and its store. A tab that was duplicated has the memory of the other one, and must not be it. */
async function claim(settings: Settings): Promise<{ participantId: ParticipantId; store: IndexedDbStore }> {
  const participantId = rememberedParticipant() ?? newParticipant(settings.name);
  try {
    // Loaded again, this page may come before the one that it replaces is gone.
    const store = await IndexedDbStore.open(storeName(settings, participantId), { waitMs: 2_000 });
    return { participantId, store };
  } catch (error) {
    if (!(error instanceof SdsError && error.code === "STORE_LOCKED")) throw error;
    const another = newParticipant(settings.name);
    return { participantId: another, store: await IndexedDbStore.open(storeName(settings, another)) };
  }
}

function storeName({ channelId }: Settings, participantId: ParticipantId): string {
  return `${channelId} of ${participantId}`;
}

/** Seconds in place of minutes: there is one browser and a few tabs, and somebody who watches. */
function configOf({ repair, lostAfterMs }: Settings): SdsConfig {
  return {
    causalHistorySize: 10,
    resendIntervalMs: 2_000,
    possiblyResendIntervalMs: 3_000,
    maxResends: 6,
    syncIntervalMs: 2_000,
    syncIntervalMaxMs: 10_000,
    syncConfirmMs: 500,
    repair,
    repairTMinMs: 1_500,
    repairTMaxMs: 4_000,
    repairRequestIntervalMs: 1_000,
    // As soon as T_max allows for: see the package's `dependencyTimeoutMs`.
    dependencyTimeoutMs: lostAfterMs ?? 40_000,
    storedMessages: 1_000,
  };
}
