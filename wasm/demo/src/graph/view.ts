import type { Entry, Gap } from "../forum.js";
import { hueOf, nameOf } from "../participant.js";
import { draw, find, make } from "../view/dom.js";
import { clockOf } from "../view/time.js";
import { describe } from "./details.js";
import { type Edge, type Graph, layOut, type Node } from "./layout.js";

const COLUMN = 46;
const LANE = 46;
const MARGIN = { left: 96, top: 30, right: 40, bottom: 34 };
const RADIUS = 8;
/** Columns from one time to the next on the axis. */
const TIME_EVERY = 3;

/** The causal history of the channel: what was said when, by whom, and knowing what. */
export function graphView(open: (entry: Entry) => void) {
  const scroll = find("graph-scroll");
  const details = find("graph-details");
  let graph: Graph = layOut([], []);
  let drawn = "";
  let chosen: string | undefined;

  const show = (messageId: string | undefined) => {
    chosen = messageId;
    mark(scroll, graph, messageId);
    details.replaceChildren(...describe(graph, messageId));
  };
  const nodeAt = (event: Event) => (event.target as Element).closest<SVGGElement>("[data-node]")?.dataset["node"];
  scroll.addEventListener("pointerover", (event) => nodeAt(event) && show(nodeAt(event)));
  scroll.addEventListener("focusin", (event) => show(nodeAt(event)));
  const follow = (messageId: string | undefined) => {
    const entry = graph.nodes.find((node) => node.messageId === messageId)?.entry;
    if (entry) open(entry);
  };
  scroll.addEventListener("click", (event) => follow(nodeAt(event)));
  scroll.addEventListener("keydown", (event) => {
    if (event.key === "Enter") follow(nodeAt(event));
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = graph.nodes.findIndex(({ messageId }) => messageId === nodeAt(event));
    const next = graph.nodes[at + step];
    if (next) focusNode(scroll, next.messageId);
  });

  return (entries: readonly Entry[], gaps: readonly Gap[]): void => {
    graph = layOut(entries, gaps);
    const now = JSON.stringify([graph.nodes.map(({ messageId, state, lane }) => [messageId, state, lane]), graph.edges, graph.lanes]);
    if (now === drawn) return;
    drawn = now;
    const atEnd = scroll.scrollWidth - scroll.scrollLeft - scroll.clientWidth < 2 * COLUMN;
    const focused = document.activeElement ? nodeAt({ target: document.activeElement } as unknown as Event) : undefined;
    scroll.replaceChildren(picture(graph));
    if (atEnd) scroll.scrollLeft = scroll.scrollWidth;
    if (focused) focusNode(scroll, focused);
    else show(graph.nodes.some(({ messageId }) => messageId === chosen) ? chosen : undefined);
  };
}

function focusNode(scroll: HTMLElement, messageId: string): void {
  for (const node of scroll.querySelectorAll<SVGGElement>("[data-node]")) {
    const here = node.dataset["node"] === messageId;
    node.setAttribute("tabindex", here ? "0" : "-1");
    if (here) node.focus();
  }
}

const x = ({ column }: Node) => MARGIN.left + column * COLUMN;
const y = ({ lane }: { lane: number }) => MARGIN.top + lane * LANE;

function picture(graph: Graph): SVGSVGElement {
  const { lanes, nodes, edges } = graph;
  const width = MARGIN.left + Math.max(nodes.length - 1, 0) * COLUMN + MARGIN.right;
  const height = MARGIN.top + Math.max(lanes.length - 1, 0) * LANE + MARGIN.bottom;
  const byId = new Map(nodes.map((node) => [node.messageId, node]));
  const label = "Causal history: messages by Lamport time, a line for each participant. Arrow keys go from one to the next.";
  return draw(
    "svg",
    { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label },
    ...lanes.map((lane, at) => laneOf(lane, at, width)),
    ...nodes.flatMap((node) => (node.column % TIME_EVERY === 0 && node.entry ? timeMark(node, node.entry, height) : [])),
    draw("g", { class: "edges" }, ...edges.flatMap((edge) => edgeOf(edge, byId) ?? [])),
    ...nodes.map((node, at) => nodeOf(node, lanes[node.lane], at === nodes.length - 1)),
  );
}

function laneOf(participantId: string | undefined, lane: number, width: number): SVGGElement {
  const line = draw("line", { x1: MARGIN.left - 16, x2: width - 12, y1: y({ lane }), y2: y({ lane }) });
  const name = draw("text", { x: 12, y: y({ lane }), "dominant-baseline": "central" }, participantId ? nameOf(participantId) : "Unknown");
  const made = draw("g", { class: "lane" }, line, name);
  made.style.setProperty("--hue", String(hueOf(participantId)));
  return made;
}

function timeMark(node: Node, { lamport }: Entry, height: number): SVGGElement {
  const line = draw("line", { x1: x(node), x2: x(node), y1: 12, y2: height - 22 });
  const text = draw("text", { x: x(node), y: height - 8, "text-anchor": "middle" }, clockOf(lamport));
  return draw("g", { class: "time-mark" }, line, text);
}

function edgeOf({ from, to, implied }: Edge, byId: ReadonlyMap<string, Node>): SVGPathElement | undefined {
  const [later, earlier] = [byId.get(from), byId.get(to)];
  if (!later || !earlier) return undefined;
  const [x1, y1, x2, y2] = [x(earlier), y(earlier), x(later), y(later)];
  // On one lane over the messages between; from lane to lane in an S.
  const arch = Math.min(10 + (x2 - x1) / 8, 22);
  const middle = (x1 + x2) / 2;
  const apart = x2 - x1 > COLUMN;
  const same = apart ? `M${x1} ${y1} Q${middle} ${y1 - 2 * arch} ${x2} ${y2}` : `M${x1} ${y1} L${x2} ${y2}`;
  const d = y1 === y2 ? same : `M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
  const made = draw("path", { d, class: implied ? "implied" : "named" });
  made.dataset["from"] = from;
  made.dataset["to"] = to;
  return made;
}

function nodeOf(node: Node, participantId: string | undefined, last: boolean): SVGGElement {
  const { messageId, state, entry } = node;
  const [cx, cy] = [x(node), y(node)];
  const circle = draw("circle", { cx, cy, r: RADIUS, class: "dot" });
  const touch = draw("circle", { cx, cy, r: COLUMN / 2, class: "touch" });
  const made = draw("g", { class: `node ${state}`, tabindex: last ? 0 : -1, role: "button" }, touch, circle);
  if (state === "lost") made.append(draw("path", { d: `M${cx - 3} ${cy - 3}l6 6m0-6l-6 6`, class: "cross" }));
  if (entry?.post?.kind === "question") made.append(draw("circle", { cx, cy, r: 3, class: "core" }));
  made.dataset["node"] = messageId;
  made.setAttribute("aria-label", `${nameOf(participantId)}, ${entry ? clockOf(entry.lamport) : state}`);
  made.style.setProperty("--hue", String(hueOf(participantId)));
  return made;
}

/** Shows what a message depends on, and what depends on it; the rest steps back. */
function mark(scroll: HTMLElement, { past }: Graph, chosen: string | undefined): void {
  const before = chosen === undefined ? undefined : past.get(chosen);
  const role = (messageId: string) => {
    if (!before || chosen === undefined) return "";
    if (messageId === chosen) return "chosen";
    return before.has(messageId) ? "past" : past.get(messageId)?.has(chosen) ? "future" : "apart";
  };
  for (const node of scroll.querySelectorAll<SVGGElement>("[data-node]")) node.dataset["role"] = role(node.dataset["node"] ?? "");
  for (const edge of scroll.querySelectorAll<SVGPathElement>("[data-from]")) {
    const roles = [role(edge.dataset["from"] ?? ""), role(edge.dataset["to"] ?? "")];
    const named = edge.dataset["from"] === chosen;
    edge.dataset["role"] = named ? "chosen" : (["apart", "future", "past"].find((each) => roles.includes(each)) ?? "");
  }
}

/** What the signs mean. */
export function legend(): void {
  const parts = { here: "here", waiting: "waits for its order", missing: "missing", lost: "lost" };
  const signs = Object.entries(parts).map(([state, words]) => make("span", `sign ${state}`, words));
  find("legend").append(...signs);
}
