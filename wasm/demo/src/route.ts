/** The question that is open, in the address: a reload opens it again. */
export class Route extends EventTarget {
  constructor() {
    super();
    addEventListener("hashchange", () => this.dispatchEvent(new Event("change")));
  }

  get questionId(): string | undefined {
    return new URLSearchParams(location.hash.slice(1)).get("question") ?? undefined;
  }

  open(questionId: string): void {
    location.hash = new URLSearchParams({ question: questionId }).toString();
  }
}
