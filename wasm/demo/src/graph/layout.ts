import type { MessageId, ParticipantId } from "@status-im/sds";

import type { Entry, Gap } from "../forum.js";
import { placesOf } from "../threads.js";

/** A message in the graph, or the place of one that is not here. */
export interface Node {
  readonly messageId: MessageId;
  readonly state: "here" | "waiting" | "missing" | "lost";
  /** Undefined: it is not here. */
  readonly entry: Entry | undefined;
  /** Its place in the order that all participants see. */
  readonly column: number;
  readonly lane: number;
}

/** One message names another. */
export interface Edge {
  readonly from: MessageId;
  readonly to: MessageId;
  /** It says nothing new: another way leads from one to the other. */
  readonly implied: boolean;
}

export interface Graph {
  /** From top to bottom; the last may be of those of whom nothing is known. */
  readonly lanes: readonly (ParticipantId | undefined)[];
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
  /** All that a message depends on, directly and not. */
  readonly past: ReadonlyMap<MessageId, ReadonlySet<MessageId>>;
}

/** Messages that are drawn: the latest. */
const MOST = 150;

/** Lays the messages out: Lamport time to the right, a lane for each participant. */
export function layOut(entries: readonly Entry[], gaps: readonly Gap[]): Graph {
  const drawn = entries.slice(-MOST);
  const inOrder = withGaps(drawn, gaps);
  const senders = new Set(inOrder.map(({ senderId }) => senderId || undefined));
  const known = [...senders].filter((sender) => sender !== undefined).sort();
  const lanes = senders.has(undefined) ? [...known, undefined] : known;
  const nodes = inOrder.map(({ messageId, senderId, state, entry }, column): Node => {
    return { messageId, state, entry, column, lane: lanes.indexOf(senderId || undefined) };
  });
  const past = pastsOf(nodes);
  return { lanes, nodes, edges: nodes.flatMap(({ entry }) => (entry ? edgesOf(entry, past) : [])), past };
}

type Placed = Pick<Node, "messageId" | "state" | "entry"> & { senderId: ParticipantId | undefined };

/** The messages in order, each after the places of those that it is the first to name. */
function withGaps(entries: readonly Entry[], gaps: readonly Gap[]): Placed[] {
  const places = placesOf(entries, gaps);
  return entries.flatMap((entry) => {
    const before = (places.get(entry.messageId) ?? []).map(({ messageId, senderId, lost }): Placed => {
      return { messageId, senderId, state: lost ? "lost" : "missing", entry: undefined };
    });
    const { messageId, senderId, waiting } = entry;
    return [...before, { messageId, senderId, state: waiting ? "waiting" : "here", entry }];
  });
}

/** Of each message all that it depends on. Who names what comes later is not believed, so that there are no cycles. */
function pastsOf(nodes: readonly Node[]): Map<MessageId, Set<MessageId>> {
  const pasts = new Map<MessageId, Set<MessageId>>();
  for (const { messageId, entry } of nodes) {
    const past = new Set<MessageId>();
    for (const { messageId: named } of entry?.names ?? []) {
      const before = pasts.get(named);
      if (!before) continue;
      past.add(named);
      for (const earlier of before) past.add(earlier);
    }
    pasts.set(messageId, past);
  }
  return pasts;
}

function edgesOf({ messageId: from, names }: Entry, past: ReadonlyMap<MessageId, ReadonlySet<MessageId>>): Edge[] {
  const named = names.map(({ messageId }) => messageId).filter((to) => past.get(from)?.has(to));
  return named.map((to) => ({ from, to, implied: named.some((other) => past.get(other)?.has(to)) }));
}
