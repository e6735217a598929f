type Child = Node | string;

/** Makes an element. Text becomes text and never markup: it comes from others. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className = "",
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** Makes an element of a drawing. */
export function draw<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string | number> = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** The element of an id, which the page has. */
export function find<T extends Element = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as Element as T;
}

/** How the children of an element follow a list. */
export interface Keyed<Item, Made extends Element> {
  key(item: Item): string;
  make(item: Item): Made;
  update(made: Made, item: Item): void;
}

/** Keeps an element's children as a list says: those that stay are the same elements, so that focus and scroll stay, too. */
export function keyed<Item, Made extends Element>(parent: Element, { key, make, update }: Keyed<Item, Made>) {
  let here = new Map<string, Made>();
  return (items: readonly Item[]): void => {
    const next = new Map<string, Made>();
    for (const item of items) {
      const made = here.get(key(item)) ?? make(item);
      update(made, item);
      next.set(key(item), made);
    }
    for (const [name, made] of here) if (!next.has(name)) made.remove();
    let at = parent.firstElementChild;
    for (const made of next.values()) {
      if (made === at) at = at.nextElementSibling;
      else parent.insertBefore(made, at);
    }
    here = next;
  };
}

/** Sets text, unless it is there: who reads the page aloud need not do so again. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
