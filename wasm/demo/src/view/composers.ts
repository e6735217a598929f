import { find } from "./dom.js";

/** A form that sends text: clears when that was taken, says so when it was refused. */
export function composer(form: HTMLFormElement, send: (fields: FormData) => void): void {
  const refused = form.querySelector(".refused") as HTMLElement;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    try {
      send(new FormData(form));
      form.reset();
      refused.hidden = true;
    } catch (error) {
      refused.textContent = error instanceof Error ? error.message : String(error);
      refused.hidden = false;
    }
  });
  // Enter sends, as in chats; with Shift it is a new line.
  for (const area of form.querySelectorAll("textarea")) {
    area.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
  }
}

/** The form for a question, which is folded away. */
export function askForm(ask: (title: string, text: string) => void): void {
  const form = find<HTMLFormElement>("ask");
  const open = find<HTMLButtonElement>("ask-open");
  const show = (shown: boolean) => {
    form.hidden = !shown;
    open.setAttribute("aria-expanded", String(shown));
    (shown ? find("ask-title") : open).focus();
  };
  open.addEventListener("click", () => show(form.hidden));
  find("ask-close").addEventListener("click", () => show(false));
  composer(form, (fields) => {
    ask(String(fields.get("title")).trim(), String(fields.get("text")).trim());
    show(false);
  });
}
