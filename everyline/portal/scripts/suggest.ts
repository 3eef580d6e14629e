/** Search as you type: a field with a list of what may fit (W3C, ARIA Authoring Practices, "Combobox", list autocomplete with
    manual selection). The server answers with the options; without scripts the field is a plain form. */

import { all } from "../../ground/scripts/dom";

const PAUSE = 140;
const LEAST = 2;

function startSuggesting(form: HTMLFormElement): void {
  const field = form.querySelector<HTMLInputElement>("input[type=search]")!;
  const list = form.querySelector<HTMLElement>("[role=listbox]")!;
  const said = form.querySelector<HTMLElement>("[data-said]")!;
  const known = new Map<string, string>();
  let timer = 0;
  let asking: AbortController | undefined;
  let chosen = -1;

  const options = (): HTMLAnchorElement[] => all<HTMLAnchorElement>(list, "[role=option]");

  const choose = (at: number): void => {
    const every = options();
    chosen = at;
    every.forEach((option, number) => option.setAttribute("aria-selected", String(number === at)));
    const option = every[at];
    if (option) {
      field.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else field.removeAttribute("aria-activedescendant");
  };

  const open = (shown: boolean): void => {
    list.hidden = !shown;
    field.setAttribute("aria-expanded", String(shown));
    if (!shown) choose(-1);
  };

  const show = (html: string): void => {
    list.innerHTML = html;
    choose(-1);
    open(options().length > 0 && document.activeElement === field);
    said.textContent = list.querySelector<HTMLElement>("[data-words]")?.dataset["words"] ?? "";
  };

  const ask = async (): Promise<void> => {
    const words = field.value.trim();
    asking?.abort();
    if (words.length < LEAST) return open(false);
    const held = known.get(words);
    if (held !== undefined) return show(held);
    asking = new AbortController();
    try {
      const answer = await fetch(`${form.dataset["suggest"]}?q=${encodeURIComponent(words)}`, { signal: asking.signal });
      if (!answer.ok) return open(false);
      const html = await answer.text();
      known.set(words, html);
      if (field.value.trim() === words) show(html);
    } catch {
      // typed on, or no connection: the form still works when it is sent
    }
  };

  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-expanded", "false");

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(ask, PAUSE);
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const { length } = options();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) return void ask();
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose(((chosen + 1 + step + length + 1) % (length + 1)) - 1);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      open(false);
    } else if (event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      options()[chosen]?.click();
    }
  });
  field.addEventListener("blur", () => open(false));
  // the field keeps the focus while one presses an option
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("mousedown", (event) => event.preventDefault());
}

for (const form of all<HTMLFormElement>(document, "form[data-suggest]")) startSuggesting(form);
