// Compiled, and never run: what users write has to fit, and their mistakes must not.
import type { IDecodedMessage, IDecoder, IEncoder, IProtoMessage, IWaku } from "@waku/interfaces";

import { ReliableChannel, SdsChannel, SdsEvent, type SdsStore, wakuNetwork } from "@status-im/sds";

declare const node: IWaku;
declare const encoder: IEncoder;
declare const decoder: IDecoder<IDecodedMessage>;
declare const messageHash: (pubsubTopic: string, message: IProtoMessage | IDecodedMessage) => Uint8Array;
declare const store: SdsStore;

export async function waku(): Promise<void> {
  const network = wakuNetwork(node, encoder, decoder, messageHash);
  const channel = await ReliableChannel.create(network, "garden", "alice", { store, config: { maxResends: 3 } });
  channel.addEventListener("message-received", ({ detail }) => detail.content.byteLength);
  channel.syncStatus.addEventListener("syncing", ({ detail }) => detail.missing.toFixed());
  // @ts-expect-error There is no such event.
  channel.addEventListener("message-recieved", () => {});
  // @ts-expect-error Nor such a field.
  channel.addEventListener("message-received", ({ detail }) => detail.payload);
}

export async function channel(): Promise<void> {
  const made = await SdsChannel.open("garden", "alice", { broadcast: () => ({ success: true }) });
  made.addEventListener(SdsEvent.OutMessageAcknowledged, ({ detail }) => detail.toUpperCase());
  made.addEventListener(SdsEvent.InMessageMissing, ({ detail }) => detail[0]?.retrievalHint?.length);
  // @ts-expect-error A channel that broadcasts nothing would lose everything.
  await SdsChannel.open("garden", "alice", {});
  // @ts-expect-error The engine has no such field.
  await SdsChannel.open("garden", "alice", { broadcast: () => {}, config: { resendInterval: 5 } });
  // @ts-expect-error Text has to be encoded.
  await made.pushOutgoingMessage("hello");
}
