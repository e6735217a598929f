import type { Entry, Gap, Receipt } from "../forum.js";
import { nameOf } from "../participant.js";
import { summaryOf } from "../posts.js";
import type { Line, Thread } from "../threads.js";
import { find, keyed, make, say } from "./dom.js";
import { avatar } from "./people.js";
import { receiptSign } from "./receipts.js";
import { clockOf } from "./time.js";

/** What a thread needs of the conversation. */
export interface ThreadActions {
  receipt(messageId: string): Receipt | undefined;
  retry(messageId: string): void;
}

/** Updates what was made for an entry. */
const updates = new WeakMap<Element, (entry: Entry) => void>();

/** One question and its answers. */
export function threadView(actions: ThreadActions) {
  const scroll = find("thread-scroll");
  const question = find("thread-question");
  const bylines = keyed<Entry, HTMLElement>(find("thread-byline"), {
    key: ({ messageId }) => messageId,
    make: (entry) => byline(entry, actions),
    update: (made, entry) => updates.get(made)?.(entry),
  });
  const lines = keyed<Line, HTMLLIElement>(find("thread-lines"), {
    key: (line) => (line.kind === "entry" ? line.entry.messageId : `gap ${line.gap.messageId}`),
    make: (line) => (line.kind === "entry" ? answer(line.entry, actions) : gapLine(line.gap)),
    update: (made, line) => (line.kind === "entry" ? updates.get(made)?.(line.entry) : updateGap(made, line.gap)),
  });
  let shown: string | undefined;
  return (thread: Thread | undefined): void => {
    const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40;
    find("no-thread").hidden = thread !== undefined;
    find("answer").hidden = thread === undefined;
    question.hidden = thread === undefined;
    const asked = thread?.question;
    const post = asked?.post?.kind === "question" ? asked.post : undefined;
    question.classList.toggle("waiting", asked?.waiting === true);
    say(find("thread-title"), post?.title ?? "This question is not here yet");
    say(find("thread-text"), post?.text ?? "");
    bylines(asked ? [asked] : []);
    lines(thread?.lines ?? []);
    if (shown !== thread?.questionId) scroll.scrollTop = 0;
    else if (atEnd) scroll.scrollTop = scroll.scrollHeight;
    shown = thread?.questionId;
  };
}

/** Who, when, and what became of it. */
function byline(entry: Entry, { receipt, retry }: ThreadActions): HTMLElement {
  const time = make("time");
  const order = make("span", "badge order", "Order pending: it depends on what is not here");
  const late = make("span", "badge late", "Came late");
  const sign = receiptSign();
  const again = make("button", "again", "Try again");
  again.type = "button";
  again.addEventListener("click", () => retry(entry.messageId));
  const sender = make("strong", "", entry.own ? "You" : nameOf(entry.senderId));
  const made = make("p", "who", sender, time, order, late, sign.element, again);
  updates.set(made, (now) => {
    say(time, clockOf(now.lamport));
    order.hidden = !now.waiting;
    late.hidden = !now.late;
    const known = now.own ? receipt(now.messageId) : undefined;
    sign.show(known);
    again.hidden = known?.tick !== "failed" && known?.tick !== "unconfirmed";
  });
  return made;
}

function answer(entry: Entry, actions: ThreadActions): HTMLLIElement {
  const who = byline(entry, actions);
  const text = make("p", "text", summaryOf(entry.post));
  const made = make("li", "line", avatar(entry.senderId), make("div", "bubble", who, text));
  made.dataset["message"] = entry.messageId;
  made.classList.toggle("own", entry.own);
  updates.set(made, (now) => {
    made.classList.toggle("waiting", now.waiting);
    updates.get(who)?.(now);
  });
  return made;
}

function gapLine(gap: Gap): HTMLLIElement {
  const made = make("li", "gap", make("span", "gap-sign"), make("span", "gap-words"));
  made.dataset["gap"] = gap.messageId;
  return made;
}

function updateGap(made: HTMLElement, { senderId, lost }: Gap): void {
  const whose = senderId ? `A message from ${nameOf(senderId)}` : "A message";
  made.classList.toggle("lost", lost);
  say(made.lastElementChild as Element, lost ? `${whose} is lost: nobody could supply it` : `${whose} is missing, fetching`);
}
