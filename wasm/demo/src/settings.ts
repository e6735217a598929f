/** What the address of the page says. Without any of it, the page is as people should meet it. */
export interface Settings {
  /** Names the channel: tabs with the same one are in one conversation. */
  readonly channelId: string;
  /** What a participant that is new is called. */
  readonly name: string | undefined;
  /** What the losses and delays of this tab come from, to replay them. */
  readonly seed: number | undefined;
  /** Packets lost, in percent; undefined: as in the other tabs. */
  readonly lossPercent: number | undefined;
  /** Ask the other participants for what is missing (SDS-R). */
  readonly repair: boolean;
  /** How long a missing message is waited for, in milliseconds; undefined: as long as suits the rest. */
  readonly lostAfterMs: number | undefined;
}

export function settingsOf(address: string): Settings {
  const given = new URL(address).searchParams;
  const number = (name: string) => {
    const text = given.get(name);
    return text?.trim() && Number.isFinite(Number(text)) ? Number(text) : undefined;
  };
  const seconds = number("lost-after");
  return {
    channelId: given.get("channel")?.slice(0, 64) || "garden",
    name: given.get("name")?.trim().slice(0, 24) || undefined,
    seed: number("seed"),
    lossPercent: number("loss"),
    repair: given.get("repair") !== "off",
    lostAfterMs: seconds === undefined ? undefined : seconds * 1_000,
  };
}

/** The address for one more participant: the same, but for what is this one's. */
export function addressOfAnother(address: string): string {
  const another = new URL(address);
  another.searchParams.delete("name");
  another.searchParams.delete("seed");
  another.hash = "";
  return another.href;
}
