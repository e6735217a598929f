import type { Entry, Gap } from "../forum.js";
import { hueOf, nameOf, shortened } from "../participant.js";
import { draw, find, make } from "../view/dom.js";
import { clockOf } from "../view/time.js";
import { describe } from "./details.js";
import { type Edge, type Graph, layOut, type Node } from "./layout.js";

/** From one message to the next: as far as there is room, between these. */
const COLUMN = { least: 46, most: 96 };
const LANE = { least: 46, most: 84 };
const MARGIN = { left: 96, top: 30, right: 40, bottom: 34 };
const RADIUS = 8;
const SCROLLBAR = 16;
const MOST_LABEL = 8;
/** The least way from one time to the next on the axis. */
const TIME_EVERY = 84;

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
    const room = { width: scroll.clientWidth, height: scroll.clientHeight - SCROLLBAR };
    const { nodes, edges, lanes } = graph;
    const now = JSON.stringify([room, nodes.map(({ messageId, state, lane }) => [messageId, state, lane]), edges, lanes]);
    if (now === drawn) return;
    drawn = now;
    const atEnd = scroll.scrollWidth - scroll.scrollLeft - scroll.clientWidth < 2 * COLUMN.least;
    const focused = document.activeElement ? nodeAt({ target: document.activeElement } as unknown as Event) : undefined;
    scroll.replaceChildren(laneNames(graph, room), picture(graph, room));
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

/** Where a message stands, and how far the next one is. */
interface Place {
  readonly x: number;
  readonly y: number;
  readonly step: number;
}

/** How much there is to draw on. */
interface Room {
  readonly width: number;
  readonly height: number;
}

function picture({ lanes, nodes, edges }: Graph, room: Room): SVGSVGElement {
  const columns = Math.max(nodes.length - 1, 0);
  const step = spread(room.width - MARGIN.left - MARGIN.right, columns, COLUMN);
  const lane = laneHeight(lanes.length, room);
  const width = Math.max(MARGIN.left + columns * step + MARGIN.right, room.width);
  const height = MARGIN.top + Math.max(lanes.length - 1, 0) * lane + MARGIN.bottom;
  const placeOf = (node: Node): Place => ({ x: MARGIN.left + node.column * step, y: MARGIN.top + node.lane * lane, step });
  const places = new Map(nodes.map((node) => [node.messageId, placeOf(node)]));
  const label = "Causal history: messages by Lamport time, a line for each participant. Arrow keys go from one to the next.";
  return draw(
    "svg",
    { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label },
    ...lanes.map((participantId, at) => laneOf(participantId, MARGIN.top + at * lane, width)),
    ...timesOf(nodes, placeOf, height),
    draw("g", { class: "edges" }, ...edges.flatMap((edge) => edgeOf(edge, places) ?? [])),
    ...nodes.map((node, at) => nodeOf(node, placeOf(node), lanes[node.lane], at === nodes.length - 1)),
  );
}

/** So much for each, as fits in, within limits. */
function spread(room: number, parts: number, { least, most }: { least: number; most: number }): number {
  return Math.min(Math.max(room / Math.max(parts, 1), least), most);
}

function laneOf(participantId: string | undefined, y: number, width: number): SVGGElement {
  const line = draw("line", { x1: MARGIN.left - 16, x2: width - 12, y1: y, y2: y });
  const made = draw("g", { class: "lane" }, line);
  made.style.setProperty("--hue", String(hueOf(participantId)));
  return made;
}

/** The names of the lanes, which stay where they are while the picture is scrolled. */
function laneNames({ lanes }: Graph, room: Room): HTMLElement {
  const lane = laneHeight(lanes.length, room);
  const names = lanes.map((participantId, at) => {
    const name = make("span", "", participantId ? shortened(nameOf(participantId), MOST_LABEL) : "Unknown");
    name.style.setProperty("--hue", String(hueOf(participantId)));
    name.style.top = `${MARGIN.top + at * lane}px`;
    return name;
  });
  return make("div", "lane-names", ...names);
}

function laneHeight(lanes: number, { height }: Room): number {
  return spread(height - MARGIN.top - MARGIN.bottom, lanes - 1, LANE);
}

/** Lamport times, as many as there is room for. */
function timesOf(nodes: readonly Node[], placeOf: (node: Node) => Place, height: number): SVGGElement[] {
  let last = -Infinity;
  return nodes.flatMap((node) => {
    const { x } = placeOf(node);
    if (!node.entry || x - last < TIME_EVERY) return [];
    last = x;
    const line = draw("line", { x1: x, x2: x, y1: 12, y2: height - 22 });
    const text = draw("text", { x, y: height - 8, "text-anchor": "middle" }, clockOf(node.entry.lamport));
    return draw("g", { class: "time-mark" }, line, text);
  });
}

function edgeOf({ from, to, implied }: Edge, places: ReadonlyMap<string, Place>): SVGPathElement | undefined {
  const [later, earlier] = [places.get(from), places.get(to)];
  if (!later || !earlier) return undefined;
  const made = draw("path", { d: wayOf(earlier, later), class: implied ? "implied" : "named" });
  made.dataset["from"] = from;
  made.dataset["to"] = to;
  return made;
}

/** On one lane straight to the next and in an arch over those between; from lane to lane in an S. */
function wayOf(a: Place, b: Place): string {
  const middle = (a.x + b.x) / 2;
  if (a.y !== b.y) return `M${a.x} ${a.y} C${middle} ${a.y} ${middle} ${b.y} ${b.x} ${b.y}`;
  if (b.x - a.x <= a.step * 1.01) return `M${a.x} ${a.y} L${b.x} ${b.y}`;
  const arch = Math.min(20 + (b.x - a.x) / 4, 44);
  return `M${a.x} ${a.y} Q${middle} ${a.y - arch} ${b.x} ${b.y}`;
}

function nodeOf(node: Node, { x: cx, y: cy }: Place, participantId: string | undefined, last: boolean): SVGGElement {
  const { messageId, state, entry } = node;
  const circle = draw("circle", { cx, cy, r: RADIUS, class: "dot" });
  const touch = draw("circle", { cx, cy, r: COLUMN.least / 2, class: "touch" });
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
