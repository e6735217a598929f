const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

/** Lamport time follows the clocks of the participants, and reads like one. */
export function clockOf(lamport: bigint): string {
  return timeOf(new Date(Number(lamport)));
}

export function timeOf(date: Date): string {
  // Senders say what they like: some of it is no time.
  return Number.isNaN(date.getTime()) ? "at no time" : CLOCK.format(date);
}
