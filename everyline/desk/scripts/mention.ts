/** Calling somebody in a note: @ and the first letters offer names. [data-mentions="<address>"] holds the text area; GET ?q= gives options
    <li role="option" data-name="…">. Without it, @ and the whole name do the same. */

import { all, make, onContent } from "../../ground/scripts/dom";

const PAUSE = 120; // ms without a key before the server is asked
const BEGUN = /(?:^|[\s(])@([\p{L}.'-]{0,30})$/u;

class Mentions {
  private readonly list = make("ul", { role: "listbox", id: "mentions", hidden: "" });
  private pause: ReturnType<typeof setTimeout> | undefined;
  private asking: AbortController | undefined;

  constructor(
    private readonly room: HTMLElement,
    private readonly area: HTMLTextAreaElement,
  ) {
    room.append(this.list);
    for (const [name, value] of [["aria-controls", "mentions"], ["aria-autocomplete", "list"]] as const) area.setAttribute(name, value);
    area.addEventListener("input", () => this.look());
    area.addEventListener("keydown", (event) => this.key(event));
    area.addEventListener("blur", () => setTimeout(() => this.hide(), 150)); // a press on a name comes first
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.take((event.target as Element).closest<HTMLElement>("[role=option]") ?? undefined));
  }

  private begun(): string | undefined {
    return BEGUN.exec(this.area.value.slice(0, this.area.selectionStart))?.[1];
  }

  private look(): void {
    clearTimeout(this.pause);
    const begun = this.begun();
    if (begun === undefined) return this.hide();
    this.pause = setTimeout(() => void this.ask(begun), PAUSE);
  }

  private async ask(begun: string): Promise<void> {
    this.asking?.abort();
    this.asking = new AbortController();
    try {
      const answer = await fetch(`${this.room.dataset["mentions"] ?? ""}?${new URLSearchParams({ q: begun })}`, { signal: this.asking.signal, headers: { "HX-Request": "true" } });
      if (!answer.ok || this.begun() !== begun) return;
      this.list.innerHTML = await answer.text();
    } catch {
      return; // asked again in the meantime, or out of reach: the name can be typed
    }
    const options = this.options();
    this.list.hidden = options.length === 0;
    this.select(options[0]);
  }

  private options(): HTMLElement[] {
    return [...this.list.querySelectorAll<HTMLElement>("[role=option]")];
  }

  private select(chosen: HTMLElement | undefined): void {
    for (const [at, option] of this.options().entries()) {
      option.id = `mention-${at}`;
      option.setAttribute("aria-selected", String(option === chosen));
    }
    if (chosen) this.area.setAttribute("aria-activedescendant", chosen.id);
    else this.area.removeAttribute("aria-activedescendant");
  }

  private key(event: KeyboardEvent): void {
    if (this.list.hidden) return;
    const options = this.options();
    const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const next = { ArrowDown: options[(at + 1) % options.length], ArrowUp: options[(at - 1 + options.length) % options.length] }[event.key];
    if (next) this.select(next);
    else if ((event.key === "Enter" || event.key === "Tab") && !event.ctrlKey && !event.metaKey) this.take(options[at]);
    else if (event.key === "Escape") this.hide();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private take(option: HTMLElement | undefined): void {
    const name = option?.dataset["name"];
    const begun = this.begun();
    if (!name || begun === undefined) return this.hide();
    const end = this.area.selectionStart;
    this.area.setRangeText(`${name} `, end - begun.length, end, "end");
    this.area.dispatchEvent(new InputEvent("input", { bubbles: true }));
    this.hide();
  }

  private hide(): void {
    this.list.hidden = true;
    this.select(undefined);
  }
}

export function startMentions(): void {
  onContent((root) => {
    for (const room of all(root, "[data-mentions]")) {
      const area = room.querySelector("textarea");
      if (!area || room.dataset["watched"]) continue;
      room.dataset["watched"] = "yes";
      new Mentions(room, area);
    }
  });
}
