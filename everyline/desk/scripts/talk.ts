/** Writing in a live talk. Where <div data-talk="address that is told"> stands, its customer sees that somebody writes; with
    data-enter-sends, Enter sends and Shift Enter begins a new line. After an answer one writes on. */

import { all, onContent } from "../../ground/scripts/dom";

const AGAIN = 3000; // ms between two signs
const OVER = 6000;

function strip(): HTMLElement | null {
  return document.querySelector<HTMLElement>("[data-talk]");
}

function tellTyping(): void {
  let told = 0;
  let over: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener("input", (event) => {
    if ((event.target as HTMLElement).id !== "reply-text") return;
    const address = strip()?.dataset["talk"];
    if (!address) return;
    const tell = (on: string) => void fetch(address, { method: "POST", body: new URLSearchParams({ on }) }).catch(() => undefined);
    clearTimeout(over);
    if (Date.now() - told > AGAIN) {
      told = Date.now();
      tell("yes");
    }
    over = setTimeout(() => {
      told = 0;
      tell("");
    }, OVER);
  });
}

/** A list that stands open over the words takes Enter for itself: it stops the event before it comes here. */
function sendByEnter(event: KeyboardEvent): void {
  const area = event.target as HTMLElement;
  if (event.key !== "Enter" || event.isComposing || event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return;
  if (area.id !== "reply-text" || !strip()?.hasAttribute("data-enter-sends")) return;
  event.preventDefault();
  const { form, value } = area as HTMLTextAreaElement;
  if (value.trim() && !event.repeat) form?.requestSubmit(form.querySelector<HTMLElement>("[data-send]"));
}

export function startTalks(): void {
  tellTyping();
  document.addEventListener("keydown", sendByEnter);
  document.addEventListener("change", (event) => {
    const choice = event.target as HTMLInputElement;
    if (choice.matches("[data-enter-switch]")) strip()?.toggleAttribute("data-enter-sends", choice.checked);
  });
  let answered = false;
  document.addEventListener("htmx:afterRequest", (event) => {
    const { successful, elt } = (event as CustomEvent<{ successful: boolean; elt: Element }>).detail;
    answered = successful && elt.matches("form[data-composer]");
  });
  onContent((root) => {
    if (!answered || !strip()) return;
    answered = false;
    all<HTMLTextAreaElement>(root, "#reply-text")[0]?.focus();
  });
}
