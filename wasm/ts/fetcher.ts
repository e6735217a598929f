import { Alarm, type Clock } from "./clock.js";
import type { NetworkMessage } from "./network.js";
import type { HistoryEntry, MessageId } from "./types.js";

/** Hashes that a store is asked for at once. */
const BATCH = 50;
/** Times that a store is asked in a second, at most: who names what does not exist does not keep us and the store busy. */
const ASKS_PER_SECOND = 5;
/** The pause before what was not found is asked for again; it doubles each time, up to the second. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 120_000;
/** A store that does not answer for so long is asked again. */
const ANSWER_MS = 30_000;
/** What is missing is gone through at most so often: for hints that were told later. */
const SWEEP_MS = 10_000;
/** Beyond so many, those that are missing no more are looked for at once: names may give way without being told of. */
const ROOM = 8_192;

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
  /** What is missing now: all of it, which may be thousands. */
  missing(): HistoryEntry[];
  failed(error: unknown): void;
}

/** Fetches what is missing from a store by its hints, at once, and again until it is here or given up. */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #alarm: Alarm;
  readonly #limit: Alarm;
  readonly #wanted = new Map<MessageId, Wanted>();
  /** When the store was asked last. */
  readonly #asked: number[] = [];
  /** When the alarm rings; never: infinity. */
  #wakeMs = Number.POSITIVE_INFINITY;
  #room = ROOM;
  #sweptMs = Number.NEGATIVE_INFINITY;
  /** All that is missing is to be gone through. */
  #stale = false;
  /** The request that is waited for, by number; others are no longer. */
  #request = 0;
  #fetching = false;
  #online = true;
  #running = false;

  constructor(options: FetcherOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => this.#ring());
    this.#limit = new Alarm(options.clock, () => this.#giveUp());
  }

  /** Begins, with all that is missing now. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#sweep();
  }

  /** Ends that: nothing is asked for any more. */
  stop(): void {
    this.#running = false;
    this.#abandon();
    this.#wanted.clear();
    this.#wakeMs = Number.POSITIVE_INFINITY;
    this.#alarm.set(undefined);
  }

  /** These are missing. */
  add(entries: readonly HistoryEntry[]): void {
    if (!this.#running) return;
    this.#put(entries);
    if (this.#wanted.size > this.#room) this.#sweep();
  }

  #put(entries: readonly HistoryEntry[]): void {
    for (const { messageId, retrievalHint } of entries) {
      const wanted = this.#wanted.get(messageId);
      if (wanted) wanted.hint = retrievalHint ?? wanted.hint;
      else if (retrievalHint) this.#wanted.set(messageId, { hint: retrievalHint, asks: 0, dueMs: 0 });
      else continue;
      this.#wake(this.#wanted.get(messageId)?.dueMs ?? 0);
    }
  }

  /** This one is here, or is not waited for. */
  remove(messageId: MessageId): void {
    this.#wanted.delete(messageId);
  }

  /** More may be known of what is missing, which is seen to before long. */
  look(): void {
    this.#stale = true;
    this.#wake(this.#sweptMs + SWEEP_MS);
  }

  /** Offline, nothing is asked for. Back again, everything is, whatever was tried before and is not answered. */
  setOnline(online: boolean): void {
    if (online === this.#online) return;
    this.#online = online;
    // Its connection may be gone.
    this.#abandon();
    for (const wanted of this.#wanted.values()) [wanted.asks, wanted.dueMs] = [0, 0];
    if (online && this.#running) this.#sweep();
  }

  #sweep(): void {
    this.#stale = false;
    this.#sweptMs = this.#options.clock.now();
    const missing = this.#options.missing();
    const ids = new Set(missing.map(({ messageId }) => messageId));
    for (const messageId of this.#wanted.keys()) if (!ids.has(messageId)) this.#wanted.delete(messageId);
    this.#room = Math.max(ROOM, 2 * missing.length);
    this.#put(missing);
    this.#rearm();
  }

  /** Sees to it that we are awake at a time, or earlier. */
  #wake(dueMs: number): void {
    if (!this.#running || !this.#online || this.#fetching) return;
    const atMs = Math.max(dueMs, this.#options.clock.now());
    if (atMs >= this.#wakeMs) return;
    this.#wakeMs = atMs;
    this.#alarm.set(atMs);
  }

  #rearm(): void {
    let dueMs = this.#stale ? this.#sweptMs + SWEEP_MS : Number.POSITIVE_INFINITY;
    for (const wanted of this.#wanted.values()) dueMs = Math.min(dueMs, wanted.dueMs);
    if (dueMs < Number.POSITIVE_INFINITY) this.#wake(dueMs);
  }

  #ring(): void {
    this.#wakeMs = Number.POSITIVE_INFINITY;
    if (!this.#running || !this.#online || this.#fetching) return;
    const now = this.#options.clock.now();
    if (this.#stale && now >= this.#sweptMs + SWEEP_MS) this.#sweep();
    const due = [...this.#wanted.values()].filter(({ dueMs }) => dueMs <= now).slice(0, BATCH);
    if (due.length === 0) return this.#rearm();
    const earliest = this.#asked.at(-ASKS_PER_SECOND);
    // A clock that was set back makes nobody wait.
    if (earliest !== undefined && earliest <= now && earliest + 1_000 > now) return this.#wake(earliest + 1_000);
    this.#asked.push(now);
    this.#asked.splice(0, this.#asked.length - ASKS_PER_SECOND);
    for (const wanted of due) {
      wanted.dueMs = now + Math.min(FIRST_PAUSE_MS * 2 ** wanted.asks, LONGEST_PAUSE_MS);
      wanted.asks += 1;
    }
    void this.#fetch(due.map(({ hint }) => hint));
  }

  async #fetch(hints: Uint8Array[]): Promise<void> {
    const { fetch, receive, failed, clock } = this.#options;
    const request = ++this.#request;
    const waited = () => request === this.#request && this.#running;
    this.#fetching = true;
    this.#limit.set(clock.now() + ANSWER_MS);
    try {
      const found = await fetch(hints);
      if (waited()) this.#limit.set(undefined);
      // Also of a late answer: here is here.
      for (const message of found) if (this.#running) await receive(message);
    } catch (error) {
      if (waited()) failed(error);
    }
    if (waited()) this.#done();
  }

  #giveUp(): void {
    this.#options.failed(new Error(`the network's store did not answer within ${ANSWER_MS / 1_000} s`));
    this.#done();
  }

  #done(): void {
    this.#abandon();
    this.#rearm();
  }

  /** Waits no longer for an answer. */
  #abandon(): void {
    this.#request += 1;
    this.#fetching = false;
    this.#limit.set(undefined);
  }
}
