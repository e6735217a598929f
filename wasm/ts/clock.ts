/** The time, and being woken. Tests and simulations bring their own. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls back after a while; what it returns is what `clearTimeout` takes. */
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** The time of day, and the host's timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

/** Timers do not go further: whoever is due later is woken, and sleeps again. */
const LONGEST_MS = 2 ** 31 - 1;

/** One timer, set anew as deadlines move. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #timer: unknown;
  #dueMs: number | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings at a time, instead of the one set before; `undefined`: not at all. */
  set(dueMs: number | undefined): void {
    if (dueMs === this.#dueMs) return;
    if (this.#dueMs !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    if (dueMs === undefined) return;
    const waitMs = Math.min(Math.max(dueMs - this.#clock.now(), 0), LONGEST_MS);
    this.#timer = this.#clock.setTimeout(() => {
      this.#dueMs = undefined;
      this.#ring();
    }, waitMs);
  }
}
