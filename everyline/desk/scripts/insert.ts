/** Canned answers and articles put into an answer. [data-insert="<address of the case>"] holds the text area.

    / and letters   GET <case>/canned?q=         options <li role="option" data-canned="<id>" data-text="…">
    # and letters   GET <case>/articles/pick?q=  options <li role="option" data-article="<id>" data-language="…">
    Arrows choose, Enter puts the text in, of an article Alt Enter its link and Shift Enter a card into the talk. [data-put="<address>"] anywhere
    puts in what GET gives as JSON {text, used}. What was put in and still stands there goes out with the answer as fields "used". */

import { all, make, onContent, say } from "../../ground/scripts/dom";
import { toast } from "../../ground/scripts/toast";
import { word } from "../../ground/scripts/words";

type How = "text" | "link" | "card";

interface Put {
  text: string;
  used: string;
}

const PAUSE = 120; // ms without a key before the server is asked
const BEGUN = /(?:^|\s)([/#])((?:\p{L}[^\n/#]{0,60})?)$/u;
const SHOWN = 24; // characters by which a text that was put in is known again

const put = new Map<string, Put[]>(); // by case

function area(): HTMLTextAreaElement | undefined {
  const found = document.getElementById("reply-text");
  return found instanceof HTMLTextAreaElement ? found : undefined;
}

function caseOf(into: HTMLTextAreaElement): string {
  return into.closest<HTMLElement>("[data-insert]")?.dataset["insert"] ?? "";
}

/** Text in place of what stands from one place to another, with a blank or line around it where none is; the browser can undo it. */
function write(into: HTMLTextAreaElement, { text, used }: Put, from: number, to: number): void {
  const before = into.value.slice(0, from);
  const after = into.value.slice(to);
  const many = text.includes("\n");
  const lead = before && !/\s$/.test(before) ? " " : "";
  const tail = after ? (/^\s/.test(after) ? "" : many ? "\n" : " ") : "";
  const reply = into.closest("form")?.querySelector<HTMLInputElement>("[name=kind][value=reply]");
  if (reply && !reply.checked) reply.click();
  into.focus();
  into.setSelectionRange(from, to);
  if (!document.execCommand("insertText", false, lead + text + tail)) {
    into.setRangeText(lead + text + tail, from, to, "end");
    into.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
  const key = caseOf(into);
  put.set(key, [...(put.get(key) ?? []).filter((one) => one.used !== used), { text, used }]);
}

async function fetched(address: string): Promise<Put | undefined> {
  try {
    const answer = await fetch(address, { headers: { "HX-Request": "true" } });
    if (answer.ok) return (await answer.json()) as Put;
    toast({ text: answer.headers.get("Content-Type")?.startsWith("text/plain") ? await answer.text() : word("gone"), tone: "bad" });
  } catch {
    toast({ text: word("offline"), tone: "bad" });
  }
  return undefined;
}

async function putIn(address: string, from?: number, to?: number): Promise<void> {
  const given = await fetched(address);
  const into = area();
  if (!given || !into) return;
  write(into, given, from ?? into.selectionStart, to ?? into.selectionEnd);
  say(word("inserted"));
}

class Picker {
  private readonly shown = make("div", { class: "picker", hidden: "" });
  private pause: ReturnType<typeof setTimeout> | undefined;
  private asking: AbortController | undefined;
  private waved = -1; // where the sign stands whose list was waved away
  private due = false; // the list is on its way
  private eager: How | undefined; // Enter was pressed before it was there: what comes first is meant, and nothing half typed is sent

  constructor(
    room: HTMLElement,
    private readonly into: HTMLTextAreaElement,
  ) {
    room.append(this.shown);
    into.setAttribute("aria-autocomplete", "list");
    into.addEventListener("input", () => this.look());
    into.addEventListener("keydown", (event) => this.key(event));
    into.addEventListener("blur", () => setTimeout(() => this.hide(), 150)); // a press on an option comes first
    this.shown.addEventListener("pointerdown", (event) => event.preventDefault());
    this.shown.addEventListener("click", (event) => void this.take((event.target as Element).closest<HTMLElement>("[role=option]"), "text"));
  }

  /** The sign that is typed at, what follows it, and where it stands. */
  private begun(): { sign: string; words: string; at: number } | undefined {
    const end = this.into.selectionStart;
    const found = BEGUN.exec(this.into.value.slice(0, end));
    if (!found) return undefined;
    const [, sign = "", words = ""] = found;
    return { sign, words, at: end - words.length - 1 };
  }

  private look(): void {
    clearTimeout(this.pause);
    const begun = this.begun();
    if (begun?.at !== this.waved) this.waved = -1;
    if (!begun || this.waved >= 0) return this.hide();
    this.due = true;
    this.pause = setTimeout(() => void this.ask(begun.sign, begun.words), PAUSE);
  }

  private async ask(sign: string, words: string): Promise<void> {
    this.asking?.abort();
    this.asking = new AbortController();
    const path = sign === "/" ? "canned" : "articles/pick";
    try {
      const address = `${caseOf(this.into)}/${path}?${new URLSearchParams({ q: words })}`;
      const answer = await fetch(address, { signal: this.asking.signal, headers: { "HX-Request": "true" } });
      if (!answer.ok) return void this.over();
      if (this.begun()?.words !== words) return; // the next question is on its way
      this.shown.innerHTML = await answer.text();
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "AbortError")) this.over();
      return; // asked again in the meantime, or out of reach: one types on
    }
    const eager = this.over();
    const options = this.options();
    this.shown.hidden = options.length === 0;
    if (options.length) this.into.setAttribute("aria-controls", "picks");
    this.select(options[0]);
    if (eager && options[0]) void this.take(options[0], eager);
  }

  private over(): How | undefined {
    const eager = this.eager;
    this.due = false;
    this.eager = undefined;
    return eager;
  }

  private options(): HTMLElement[] {
    return [...this.shown.querySelectorAll<HTMLElement>("[role=option]")];
  }

  private select(chosen: HTMLElement | undefined): void {
    for (const [at, option] of this.options().entries()) {
      option.id = `pick-${at}`;
      option.setAttribute("aria-selected", String(option === chosen));
    }
    if (chosen) this.into.setAttribute("aria-activedescendant", chosen.id);
    else this.into.removeAttribute("aria-activedescendant");
    chosen?.scrollIntoView({ block: "nearest" });
  }

  private key(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const how: How = event.altKey ? "link" : event.shiftKey ? "card" : "text";
    const takes = event.key === "Enter" && !event.ctrlKey && !event.metaKey;
    if (this.due && takes) {
      this.eager = how;
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (this.shown.hidden) return;
    const options = this.options();
    const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const next = { ArrowDown: options[(at + 1) % options.length], ArrowUp: options[(at - 1 + options.length) % options.length] }[event.key];
    if (next && !event.altKey) this.select(next);
    else if (takes || event.key === "Tab") void this.take(options[at] ?? null, how);
    else if (event.key === "Escape") {
      this.waved = this.begun()?.at ?? -1;
      this.hide();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private async take(option: HTMLElement | null, how: How): Promise<void> {
    const begun = this.begun();
    this.hide();
    if (!option || !begun) return;
    const [from, to] = [begun.at, this.into.selectionStart];
    const { canned, text = "", article, language = "" } = option.dataset;
    if (canned) return write(this.into, { text, used: `canned:${canned}` }, from, to);
    const address = `${caseOf(this.into)}/articles/${article}`;
    if (how !== "card") return putIn(`${address}/text?${new URLSearchParams({ how, language })}`, from, to);
    const answer = await fetch(`${address}/card`, { method: "POST", body: new URLSearchParams({ language }), headers: { "HX-Request": "true" } }).catch(() => undefined);
    if (!answer?.ok) return toast({ text: word(answer ? "gone" : "offline"), tone: "bad" });
    this.into.setRangeText("", from, to, "end");
    this.into.dispatchEvent(new InputEvent("input", { bubbles: true }));
    document.body.dispatchEvent(new CustomEvent("case-changed", { bubbles: true }));
    say(word("card.shown"));
  }

  private hide(): void {
    clearTimeout(this.pause);
    this.over();
    this.shown.hidden = true;
    this.into.removeAttribute("aria-controls");
    this.select(undefined);
  }
}

/** What was put in and still stands in the answer goes out with it. */
function tell(form: HTMLFormElement): void {
  for (const old of form.querySelectorAll("[name=used]")) old.remove();
  const into = area();
  if (!into) return;
  for (const { text, used } of put.get(caseOf(into)) ?? []) {
    if (into.value.includes(text.trim().slice(0, SHOWN))) form.append(make("input", { type: "hidden", name: "used", value: used }));
  }
}

export function startInserts(): void {
  onContent((root) => {
    for (const room of all(root, "[data-insert]")) {
      const into = room.querySelector("textarea");
      if (!into || room.dataset["watched"]) continue;
      room.dataset["watched"] = "yes";
      new Picker(room, into);
    }
  });
  document.addEventListener("click", (event) => {
    const pressed = (event.target as Element).closest<HTMLElement>("[data-put]");
    if (!pressed) return;
    pressed.closest("dialog")?.close();
    void putIn(pressed.dataset["put"] ?? "");
  });
  // before htmx reads the form
  document.addEventListener("submit", (event) => (event.target as Element).matches("form[data-composer]") && tell(event.target as HTMLFormElement), true);
  document.addEventListener("htmx:afterRequest", (event) => {
    const { successful, elt } = (event as CustomEvent<{ successful: boolean; elt: Element }>).detail;
    if (successful && elt instanceof HTMLFormElement && elt.matches("form[data-composer]")) put.delete(elt.action.replace(/^https?:\/\/[^/]+/, "").replace(/\/answer$/, ""));
  });
}
