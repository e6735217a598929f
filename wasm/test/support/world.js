// Made-up time and a made-up network: nothing here sleeps, and equal seeds give equal runs.
import { createHash } from "node:crypto";

/** When every test begins, in milliseconds. */
export const NOW = 1_700_000_000_000;

/** A clock that stands still but for `advance`. */
export class TestClock {
  #now = NOW;
  #timers = new Map();
  #last = 0;

  now() {
    return this.#now;
  }

  setTimeout(callback, ms) {
    this.#timers.set(++this.#last, { dueMs: this.#now + ms, callback });
    return this.#last;
  }

  clearTimeout(timer) {
    this.#timers.delete(timer);
  }

  get timers() {
    return this.#timers.size;
  }

  /** Lets time pass, timer by timer, each with all that follows from it. */
  async advance(ms) {
    const endMs = this.#now + ms;
    await idle();
    for (let next = this.#next(endMs); next; next = this.#next(endMs)) {
      const [timer, { dueMs, callback }] = next;
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, dueMs);
      callback();
      await idle();
    }
    this.#now = endMs;
  }

  #next(endMs) {
    const due = [...this.#timers].filter(([, { dueMs }]) => dueMs <= endMs);
    return due.sort(([a, { dueMs: x }], [b, { dueMs: y }]) => x - y || a - b)[0];
  }
}

/** Everything that is ready to happen has happened. */
export async function idle() {
  for (let turns = 0; turns < 4; turns++) await new Promise(setImmediate);
}

/** Numbers from 0 to 1, by chance that can be replayed. */
export function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A broadcast network that loses and delays, with a store that has all that was published. */
export class Bus {
  loss = 0;
  #clock;
  #random;
  #members = new Set();
  #stored = new Map();

  constructor(clock, { loss = 0, seed = 1 } = {}) {
    this.#clock = clock;
    this.#random = chance(seed);
    this.loss = loss;
  }

  /** A member's side of it: a `Network`. `online` and `failing` can be set. */
  join({ fetches = true } = {}) {
    const member = { online: true, failing: false, receive: undefined, published: 0, fetched: 0 };
    member.publish = async (payload) => {
      if (member.failing) throw new Error("the network takes nothing");
      member.published += 1;
      const hash = hashOf(payload, member.published);
      if (!member.online) return hash;
      this.#stored.set(hex(hash), { payload, hash });
      for (const other of this.#members) if (other !== member) this.#carry({ payload, hash }, other);
      return hash;
    };
    member.subscribe = async (receive) => {
      member.receive = receive;
      this.#members.add(member);
      return () => this.#members.delete(member);
    };
    if (fetches) {
      member.fetch = async (hashes) => {
        member.fetched += 1;
        if (!member.online) throw new Error("the store is out of reach");
        return hashes.map((hash) => this.#stored.get(hex(hash))).filter(Boolean);
      };
    }
    return member;
  }

  #carry(message, member) {
    if (this.#random() < this.loss) return;
    this.#clock.setTimeout(() => {
      if (member.online && this.#members.has(member)) member.receive(message);
    }, 20 + Math.floor(this.#random() * 180));
  }
}

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const hashOf = (payload, count) => new Uint8Array(createHash("sha256").update(payload).update(String(count)).digest());

export const bytes = (text) => new TextEncoder().encode(text);
export const text = (content) => new TextDecoder().decode(content);

/** All events of a channel, as `[name, detail]`, in order. */
export function record(target, names) {
  const events = [];
  for (const name of names) target.addEventListener(name, ({ detail }) => events.push([name, detail]));
  return events;
}
