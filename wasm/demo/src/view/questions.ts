import { nameOf } from "../participant.js";
import { summaryOf } from "../posts.js";
import type { Thread } from "../threads.js";
import { find, keyed, make, say } from "./dom.js";
import { avatar } from "./people.js";
import { clockOf } from "./time.js";

/** The list of questions. */
export function questionList(choose: (questionId: string) => void) {
  const list = find("question-list");
  let chosen: string | undefined;
  const update = keyed<Thread, HTMLLIElement>(list, {
    key: ({ questionId }) => questionId,
    make({ questionId, question }) {
      const button = make("button", "question-item");
      button.type = "button";
      button.addEventListener("click", () => choose(questionId));
      const about = make("span", "about", make("span", "title"), make("span", "meta"));
      button.append(avatar(question?.senderId), about);
      return make("li", "", button);
    },
    update(made, { questionId, question, answers, latest, lines }) {
      const button = made.firstElementChild as HTMLButtonElement;
      const [title, meta] = made.querySelectorAll(".title, .meta") as unknown as [HTMLElement, HTMLElement];
      button.setAttribute("aria-current", String(questionId === chosen));
      button.classList.toggle("waiting", question?.waiting === true);
      button.classList.toggle("absent", !question);
      if (question) button.firstElementChild?.replaceWith(avatar(question.senderId));
      say(title, question ? summaryOf(question.post) : "A question that is not here yet");
      const gaps = lines.filter(({ kind }) => kind === "gap").length;
      const counted = `${answers} ${answers === 1 ? "answer" : "answers"}`;
      const parts = [nameOf(question?.senderId), counted, gaps > 0 ? `${gaps} not here` : undefined, clockOf(latest)];
      say(meta, parts.filter(Boolean).join(" · "));
    },
  });
  return (threads: readonly Thread[], chosenId: string | undefined): void => {
    chosen = chosenId;
    find("no-questions").hidden = threads.length > 0;
    update(threads);
  };
}
