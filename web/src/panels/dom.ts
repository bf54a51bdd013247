/** The page's elements by id, typed; a missing one is our bug and says so. */
export function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`page: expected #${id} to be a ${kind.name}`);
  return found;
}

export const canvas = (id: string) => element(id, HTMLCanvasElement);
export const input = (id: string) => element(id, HTMLInputElement);
export const select = (id: string) => element(id, HTMLSelectElement);
export const button = (id: string) => element(id, HTMLButtonElement);
/** A control's value beside it; no <output>, which screen readers would read out at each change. */
export const readout = (id: string) => element(id, HTMLSpanElement);

/** A new element with text, or with children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...content: readonly (string | Node)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className !== "") made.className = className;
  made.append(...content);
  return made;
}

/** One choice of a row of radio buttons. */
export function segment(name: string, value: string, text: string, spoken?: string): HTMLElement {
  const radio = make("input", "");
  radio.type = "radio";
  radio.name = name;
  radio.value = value;
  if (spoken !== undefined) radio.setAttribute("aria-label", spoken);
  return make("label", "", radio, make("span", "", text));
}

/** Checks the radio button of that value. */
export function choose(group: HTMLElement, value: string): void {
  for (const radio of group.querySelectorAll("input")) radio.checked = radio.value === value;
}
