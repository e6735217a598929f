/** On narrow screens one part of the page shows at a time. */
export function panes(): { show(pane: string): void; read(reading: "list" | "thread"): void } {
  const buttons = [...document.querySelectorAll<HTMLButtonElement>(".tabs button")];
  const show = (pane: string) => {
    document.body.dataset["pane"] = pane;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset["pane"] === pane));
  };
  const read = (reading: "list" | "thread") => {
    document.body.dataset["reading"] = reading;
  };
  for (const button of buttons) button.addEventListener("click", () => show(button.dataset["pane"] ?? "forum"));
  return { show, read };
}
