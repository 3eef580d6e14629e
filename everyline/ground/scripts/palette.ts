/** The palette: everything that can be done on this page (data-action-label, data-action-group, data-action-icon), and whatever the
    server finds. <dialog id="palette" data-find="/desk/find">: GET ?q= gives groups of options:
    <ul role="group" aria-label="Cases"><li class="head" role="presentation">Cases</li><li class="item" role="option" data-href="/…">…</li></ul> */

import { icon, make, say } from "./dom";
import { act, actions, caps, nameOf } from "./keys";
import { word } from "./words";

const PAUSE = 120; // ms without a key before the server is asked
const SHORTEST = 2;

interface Action {
  name: string;
  group: string;
  element: HTMLElement;
}

let known: Action[] = [];
let asking: AbortController | undefined;
let pause: ReturnType<typeof setTimeout> | undefined;
const elements = new WeakMap<Element, HTMLElement>();

/** What the page itself offers first, then what stands round it. */
function collect(): Action[] {
  const seen = new Set<string>();
  const found = actions("[data-action-label]");
  const own = (element: Element): boolean => element.closest("main") !== null;
  return [...found.filter(own), ...found.filter((element) => !own(element))].flatMap((element) => {
    const name = nameOf(element);
    if (seen.has(name)) return [];
    seen.add(name);
    return [{ name, group: element.dataset["actionGroup"] ?? word("palette.page"), element }];
  });
}

/** How well a name fits: the start of it, the start of a word, anywhere; -1: not at all. */
function fit(name: string, query: string): number {
  const at = name.toLocaleLowerCase().indexOf(query);
  return at <= 0 ? at : name[at - 1] === " " ? 1 : 2;
}

function marked(name: string, query: string): (Node | string)[] {
  const at = query ? name.toLocaleLowerCase().indexOf(query) : -1;
  if (at < 0) return [name];
  const end = at + query.length;
  return [name.slice(0, at), make("mark", {}, name.slice(at, end)), name.slice(end)];
}

function option({ name, element }: Action, query: string): HTMLElement {
  const shown = make("li", { class: "item", role: "option" }, icon(element.dataset["actionIcon"] ?? "right"));
  shown.append(make("span", { class: "clip" }, ...marked(name, query)));
  shown.append(make("span", { class: "end" }, ...caps(element.dataset["key"] ?? "")));
  elements.set(shown, element);
  return shown;
}

function groups(query: string): HTMLElement[] {
  const fitting = known.map((action) => ({ action, rank: query ? fit(action.name, query) : 0 })).filter(({ rank }) => rank >= 0);
  fitting.sort((one, other) => one.rank - other.rank);
  const names = new Set(fitting.map(({ action }) => action.group));
  return [...names].map((name) => {
    const members = fitting.filter(({ action }) => action.group === name).map(({ action }) => option(action, query));
    return make("ul", { role: "group", "aria-label": name }, make("li", { class: "head", role: "presentation" }, name), ...members);
  });
}

function options(found: Element): HTMLElement[] {
  return [...found.querySelectorAll<HTMLElement>("[role=option]")];
}

function select(found: Element, input: HTMLInputElement, chosen: HTMLElement | undefined): void {
  for (const [at, one] of options(found).entries()) {
    one.id ||= `found-${at}`;
    one.setAttribute("aria-selected", String(one === chosen));
  }
  if (chosen) input.setAttribute("aria-activedescendant", chosen.id);
  else input.removeAttribute("aria-activedescendant");
  chosen?.scrollIntoView({ block: "nearest" });
}

async function ask(address: string, query: string): Promise<DocumentFragment | undefined> {
  asking?.abort();
  asking = new AbortController();
  try {
    const answer = await fetch(`${address}?${new URLSearchParams({ q: query })}`, { signal: asking.signal, headers: { "HX-Request": "true" } });
    if (!answer.ok) return undefined;
    const template = document.createElement("template");
    template.innerHTML = await answer.text();
    return template.content;
  } catch {
    return undefined; // asked again in the meantime, or out of reach: what is on the page is still there
  }
}

function narrow(dialog: HTMLDialogElement, found: Element, input: HTMLInputElement): void {
  const typed = input.value.trim();
  const query = typed.toLocaleLowerCase();
  const show = (more?: DocumentFragment): void => {
    found.replaceChildren(...groups(query), ...(more ? [more] : []));
    const all = options(found);
    if (!all.length) found.replaceChildren(make("p", { class: "none" }, word("palette.none", { query: typed })));
    select(found, input, all[0]);
    if (query) say(all.length ? word("palette.count", { count: all.length }) : word("palette.none", { query: typed }));
  };
  show();
  clearTimeout(pause);
  asking?.abort();
  const address = dialog.dataset["find"];
  if (!address || query.length < SHORTEST) return;
  pause = setTimeout(async () => {
    const more = await ask(address, typed);
    if (more && input.value.trim() === typed) show(more);
  }, PAUSE);
}

function choose(dialog: HTMLDialogElement, chosen: HTMLElement | undefined): void {
  if (!chosen) return;
  const element = elements.get(chosen);
  const address = chosen.dataset["href"];
  dialog.close();
  if (element) act(element);
  else if (address) location.assign(address);
}

export function startPalette(): void {
  const dialog = document.getElementById("palette");
  const found = document.getElementById("found");
  const input = dialog?.querySelector("input");
  if (!(dialog instanceof HTMLDialogElement) || !found || !input) return;

  dialog.addEventListener("dialog:open", () => {
    known = collect();
    input.value = "";
    narrow(dialog, found, input);
  });
  input.addEventListener("input", () => narrow(dialog, found, input));
  input.addEventListener("keydown", (event) => {
    const all = options(found);
    const at = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
    const next = { ArrowDown: all[(at + 1) % all.length], ArrowUp: all[(at - 1 + all.length) % all.length] }[event.key];
    if (next) select(found, input, next);
    else if (event.key === "Enter" && !event.isComposing) choose(dialog, all[at]);
    else return;
    event.preventDefault();
  });
  found.addEventListener("click", (event) => choose(dialog, (event.target as Element).closest<HTMLElement>("[role=option]") ?? undefined));
}
