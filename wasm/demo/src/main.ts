import "./style/base.css";
import "./style/layout.css";
import "./style/forum.css";
import "./style/network.css";
import "./style/graph.css";

import { Forum } from "./forum.js";
import { graphView, legend } from "./graph/view.js";
import { Route } from "./route.js";
import { openSession } from "./session.js";
import { settingsOf } from "./settings.js";
import { threadsOf } from "./threads.js";
import { askForm, composer } from "./view/composers.js";
import { find } from "./view/dom.js";
import { header } from "./view/header.js";
import { happeningList, networkPanel } from "./view/network.js";
import { panes } from "./view/panes.js";
import { questionList } from "./view/questions.js";
import { threadView } from "./view/thread.js";

async function begin(): Promise<void> {
  const session = await openSession(settingsOf(location.href));
  const { network } = session;
  const forum = await Forum.open(session);
  const route = new Route();
  const { show, read } = panes();

  const openQuestion = (questionId: string) => {
    route.open(questionId);
    show("forum");
    read("thread");
  };
  askForm((title, text) => openQuestion(forum.post({ kind: "question", title, text })));
  composer(find<HTMLFormElement>("answer"), (fields) => {
    const text = String(fields.get("text")).trim();
    if (text && route.questionId) forum.post({ kind: "answer", to: route.questionId, text });
  });
  find("back").addEventListener("click", () => read("list"));

  const showHeader = header(session.participantId);
  const showQuestions = questionList(openQuestion);
  const showThread = threadView({
    receipt: (messageId) => forum.receipt(messageId),
    retry: (messageId) => void forum.retry(messageId),
  });
  const showNetwork = networkPanel(network, (online) => void forum.setOnline(online));
  const showHappenings = happeningList();
  const showGraph = graphView(({ messageId, post }) => post && openQuestion(post.kind === "question" ? messageId : post.to));
  legend();

  const render = () => {
    const [entries, gaps] = [forum.entries(), forum.gaps()];
    const threads = threadsOf(entries, gaps);
    showHeader(forum.status, network.isOnline);
    showQuestions(threads, route.questionId);
    showThread(threads.find(({ questionId }) => questionId === route.questionId));
    showNetwork();
    showHappenings(forum.happenings());
    showGraph(entries, gaps);
  };
  const soon = once(render);
  for (const source of [forum, network, route]) source.addEventListener("change", soon);
  new ResizeObserver(soon).observe(find("graph-scroll"));
  if (route.questionId) read("thread");
  render();
  document.body.dataset["ready"] = "true";
}

/** Runs once for all that happens in one go. */
function once(body: () => void): () => void {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    setTimeout(() => {
      due = false;
      body();
    });
  };
}

begin().catch((error: unknown) => {
  const status = find("status");
  status.dataset["state"] = "broken";
  status.textContent = `This page could not begin: ${error instanceof Error ? error.message : String(error)}`;
  console.error(error);
});
