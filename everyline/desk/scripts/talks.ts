/** All of one's live talks: who is typing, who is here, how long each waits, and the way from one to the next.

    [data-typing-of=CASE]                       shown while that customer types
    [data-strip-of=CASE] [data-here-is=yes|no]  whether they look
    [data-wait-since][data-due-after][data-late-after]  counts, and goes from calm to due to late: data-wait, and words in [data-wait-words]
    [data-tab=CASE]                             opens the case in place; [data-talk-step=-1|1] goes to the one before or after it. Words of a supervisor come with a sound. */

import { icon, onContent, say } from "../../ground/scripts/dom";
import { chime } from "../../ground/scripts/sound";
import { span } from "../../ground/scripts/time";
import { toast } from "../../ground/scripts/toast";
import { word } from "../../ground/scripts/words";

interface Sign {
  case: number;
  on?: boolean;
  agent?: number;
}

const TYPES = 6500; // ms that a sign of typing holds
const ICONS: Readonly<Record<string, string>> = { calm: "clock", due: "bell", late: "warning" };
const typing = new Map<number, ReturnType<typeof setTimeout>>();
const here = new Map<number, boolean>();

function each(selector: string, work: (element: HTMLElement) => void): void {
  document.querySelectorAll<HTMLElement>(selector).forEach(work);
}

function tabs(): HTMLAnchorElement[] {
  return [...document.querySelectorAll<HTMLAnchorElement>("[data-tab]")];
}

function open(): string {
  return document.querySelector<HTMLElement>("#case[data-case]")?.dataset["case"] ?? "";
}

function showTyping(): void {
  each("[data-typing-of]", (shown) => {
    const types = typing.has(Number(shown.dataset["typingOf"]));
    shown.hidden = !types;
    shown.closest(".talk-tab")?.classList.toggle("typing", types);
  });
}

function hearTyping({ case: number, on }: Sign): void {
  const before = typing.get(number);
  clearTimeout(before);
  typing.delete(number);
  if (on) typing.set(number, setTimeout(() => hearTyping({ case: number, on: false }), TYPES));
  showTyping();
  const strip = document.querySelector<HTMLElement>(`[data-strip-of="${number}"]`);
  if (on && before === undefined && strip) say(word("talk.types", { name: strip.dataset["customer"] ?? "" }));
}

function showHere(): void {
  for (const [number, on] of here) {
    each(`[data-strip-of="${number}"] [data-here-is]`, (shown) => (shown.hidden = (shown.dataset["hereIs"] === "yes") !== on));
  }
}

function readStrip(number: number): void {
  if (open() === String(number)) document.getElementById("talk")?.dispatchEvent(new CustomEvent("refresh"));
}

function tick(): void {
  each("[data-wait-since]", (shown) => {
    const passed = Date.now() - Date.parse(shown.dataset["waitSince"] ?? "");
    const at = (name: string): number => Number(shown.dataset[name]) * 1000;
    const state = passed >= at("lateAfter") ? "late" : passed >= at("dueAfter") ? "due" : "calm";
    const words = shown.querySelector("[data-wait-words]");
    if (words) words.textContent = word(`talk.${state}`, { time: span(passed) });
    if (shown.dataset["wait"] === state) return;
    shown.dataset["wait"] = state;
    shown.querySelector(".icon")?.replaceWith(icon(ICONS[state] ?? "clock", "tiny"));
  });
}

function markOpen(): void {
  const number = open();
  for (const tab of tabs()) {
    if (tab.dataset["tab"] === number) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  }
}

function step(by: number): void {
  const all = tabs();
  if (!all.length) return;
  const at = all.findIndex((tab) => tab.hasAttribute("aria-current"));
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length;
  all[next]?.click();
}

function opened(event: Event): void {
  const asked = (event as CustomEvent<{ requestConfig: { elt: Element } }>).detail.requestConfig.elt;
  if (!(asked instanceof HTMLElement) || !asked.matches("[data-tab]")) return;
  document.getElementById("main")?.setAttribute("data-open", "case");
  markOpen();
  say(document.getElementById("subject")?.textContent ?? "");
  document.getElementById("reply-text")?.focus({ preventScroll: true });
}

/** A supervisor says something to me, or looks on: in the open talk it shows by itself, of another it is told. */
function hearSupervisor(kind: "whispered" | "monitored", { case: number, agent }: Sign): void {
  if (String(agent) !== document.querySelector<HTMLElement>("#talks")?.dataset["agent"]) return;
  const name = document.querySelector<HTMLElement>(`[data-tab="${number}"]`)?.dataset["name"] ?? "";
  if (kind === "whispered") chime();
  const text = word(`talk.${kind}`, { name });
  if (open() === String(number)) {
    say(text, kind === "whispered");
    readStrip(number);
  } else toast({ text, seconds: 12 });
}

export function startTalkRow(): void {
  const hear = (kind: string, work: (sign: Sign) => void): void =>
    document.addEventListener(`live:talk.${kind}`, (event) => work((event as CustomEvent<Sign>).detail));
  hear("typing", hearTyping);
  hear("seen", (sign) => readStrip(sign.case));
  hear("here", (sign) => {
    here.set(sign.case, Boolean(sign.on));
    showHere();
  });
  hear("whispered", (sign) => hearSupervisor("whispered", sign));
  hear("monitored", (sign) => hearSupervisor("monitored", sign));
  document.addEventListener("live:message.received", (event) => {
    const sign = (event as CustomEvent<Sign>).detail;
    if (typing.has(sign.case)) hearTyping({ case: sign.case, on: false }); // it was this that they wrote
  });
  document.addEventListener("htmx:afterSwap", opened);
  document.addEventListener("click", (event) => {
    const by = (event.target as Element).closest<HTMLElement>("[data-talk-step]")?.dataset["talkStep"];
    if (by) step(Number(by));
  });
  onContent(() => {
    markOpen();
    showTyping();
    showHere();
  });
  setInterval(tick, 1000);
}
