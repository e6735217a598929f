import { Alarm, type Clock } from "./clock.js";
import type { NetworkMessage } from "./network.js";
import type { HistoryEntry, MessageId } from "./types.js";

/** Hashes that a store is asked for at once. */
const BATCH = 50;
/** The pause before what was not found is asked for again; it doubles each time, up to the second. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 120_000;

interface Wanted {
  hint: Uint8Array;
  asks: number;
  dueMs: number;
}

/** What the fetcher is made from. */
export interface FetcherOptions {
  clock: Clock;
  fetch(hashes: readonly Uint8Array[]): Promise<NetworkMessage[]>;
  /** Takes in what was found. */
  receive(message: NetworkMessage): Promise<void>;
  /** What is missing now. */
  missing(): HistoryEntry[];
  failed(error: unknown): void;
}

/** Fetches what is missing from a store by its hints, at once, and again until it is here or given up. */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #alarm: Alarm;
  readonly #wanted = new Map<MessageId, Wanted>();
  #fetching = false;
  #online = true;
  #stopped = false;

  constructor(options: FetcherOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => void this.#fetchDue());
  }

  /** Something may be missing now that was not before. */
  look(): void {
    const missing = this.#options.missing();
    const ids = new Set(missing.map(({ messageId }) => messageId));
    for (const messageId of this.#wanted.keys()) if (!ids.has(messageId)) this.#wanted.delete(messageId);
    for (const { messageId, retrievalHint } of missing) {
      const wanted = this.#wanted.get(messageId);
      if (wanted) wanted.hint = retrievalHint ?? wanted.hint;
      else if (retrievalHint) this.#wanted.set(messageId, { hint: retrievalHint, asks: 0, dueMs: 0 });
    }
    this.#rearm();
  }

  /** Offline, nothing is asked for. Back again, everything is, whatever was tried before. */
  setOnline(online: boolean): void {
    if (online === this.#online) return;
    this.#online = online;
    for (const wanted of this.#wanted.values()) [wanted.asks, wanted.dueMs] = [0, 0];
    this.#rearm();
  }

  stop(): void {
    this.#stopped = true;
    this.#alarm.set(undefined);
  }

  #rearm(): void {
    if (this.#stopped || this.#fetching) return;
    const dues = this.#online ? [...this.#wanted.values()].map(({ dueMs }) => dueMs) : [];
    this.#alarm.set(dues.length > 0 ? Math.max(Math.min(...dues), this.#options.clock.now()) : undefined);
  }

  async #fetchDue(): Promise<void> {
    const now = this.#options.clock.now();
    const due = [...this.#wanted.values()].filter(({ dueMs }) => dueMs <= now).slice(0, BATCH);
    for (const wanted of due) {
      wanted.dueMs = now + Math.min(FIRST_PAUSE_MS * 2 ** wanted.asks, LONGEST_PAUSE_MS);
      wanted.asks += 1;
    }
    this.#fetching = true;
    try {
      const found = await this.#options.fetch(due.map(({ hint }) => hint));
      for (const message of found) if (!this.#stopped) await this.#options.receive(message);
    } catch (error) {
      this.#options.failed(error);
    } finally {
      this.#fetching = false;
    }
    if (!this.#stopped) this.look();
  }
}
