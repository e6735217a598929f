import { nameOf } from "../participant.js";
import { summaryOf } from "../posts.js";
import { make } from "../view/dom.js";
import { clockOf } from "../view/time.js";
import type { Graph, Node } from "./layout.js";

const STATES: Record<Node["state"], string> = {
  here: "In its place",
  waiting: "Waits for what it depends on",
  missing: "Missing: named by others, and not here",
  lost: "Lost: nobody could supply it",
};

/** Says about one message of the graph what is known of it. */
export function describe(graph: Graph, messageId: string | undefined): HTMLElement[] {
  const node = graph.nodes.find((each) => each.messageId === messageId);
  if (!node) {
    const some = "Point at a message to see what its sender knew when it was sent.";
    return [make("p", "soft", graph.nodes.length > 0 ? some : "Each message gets a place here, with what its sender knew.")];
  }
  const { entry, state } = node;
  const sender = nameOf(graph.lanes[node.lane]);
  const when = make("span", "soft", entry ? clockOf(entry.lamport) : "");
  const parts: HTMLElement[] = [make("p", "who", make("strong", "", sender), when)];
  if (entry) parts.push(make("p", "text", summaryOf(entry.post)));
  parts.push(make("dl", "", ...rowsOf(graph, node, STATES[state])));
  return parts;
}

function rowsOf(graph: Graph, { messageId, entry, state }: Node, words: string): HTMLElement[] {
  const before = graph.past.get(messageId)?.size ?? 0;
  const after = graph.nodes.filter((other) => graph.past.get(other.messageId)?.has(messageId)).length;
  const apart = graph.nodes.length - before - after - 1;
  const rows: [string, string][] = [["State", words]];
  if (state !== "missing" && state !== "lost") {
    rows.push(["Names", String(entry?.names.length ?? 0)], ["Before it", String(before)]);
    rows.push(["After it", String(after)], ["Independent", String(apart)]);
    rows.push(["Lamport", String(entry?.lamport)]);
  }
  rows.push(["Id", `${messageId.slice(0, 16)}…`]);
  return rows.map(([term, value]) => make("div", "", make("dt", "", term), make("dd", "", value)));
}
