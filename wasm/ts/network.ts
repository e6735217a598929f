/** What came over the network. */
export interface NetworkMessage {
  payload: Uint8Array;
  /** The network's own hash of it, which it can be fetched by; undefined if the network has none. */
  hash?: Uint8Array | undefined;
}

/** The network as an application has it: Waku, a broker, a bus between tabs. */
export interface Network {
  /**
   * Broadcasts a payload, and returns the network's hash of it, if it has one. Two equal payloads are two messages. Rejects
   * if it was not sent; then it is sent again later.
   */
  publish(payload: Uint8Array): Promise<Uint8Array | undefined | void>;
  /**
   * Brings everything that is broadcast, messages of our own too if it likes. It may begin before it returns. Returns what ends
   * that.
   */
  subscribe(receive: (message: NetworkMessage) => void): Promise<() => unknown>;
  /**
   * Asks a store for messages by their hashes, of which others say what they are: any bytes. Returns those that it has, in any
   * order. Absent: this network has no store, and what is missing is had from the other members.
   */
  fetch?(hashes: readonly Uint8Array[]): Promise<NetworkMessage[]>;
}

/** What is done to bytes on their way out, and undone on their way in: encryption, a tag. */
export interface Codec {
  encode(bytes: Uint8Array): Promise<Uint8Array> | Uint8Array;
  /** Undefined: not for us. */
  decode(bytes: Uint8Array): Promise<Uint8Array | undefined> | Uint8Array | undefined;
}

const TAG = new TextEncoder().encode("RELIABLE-CHANNEL-API/1");

/** Puts the tag of the reliable channel API (LIP 173) before each message, and takes nothing without it. */
export const reliableChannelTag: Codec = {
  encode(bytes) {
    const tagged = new Uint8Array(TAG.length + bytes.length);
    tagged.set(TAG);
    tagged.set(bytes, TAG.length);
    return tagged;
  },
  decode(bytes) {
    return TAG.every((byte, at) => bytes[at] === byte) ? bytes.slice(TAG.length) : undefined;
  },
};
