/** An offer: <dialog data-offer data-offered-at data-expires-at data-now> (macro offer). Shown over anything with sound, a ring that empties and a
    title that blinks; taken away when the server takes it out of the page or its time is over. Focus and what was being typed come back. */

import { openDialog } from "./dialogs";
import { onContent, say } from "./dom";
import { typing } from "./keys";
import { chime } from "./sound";
import { word } from "./words";

const AGAIN = 4000; // ms between two sounds
const SOON = 5; // seconds that turn the ring
const QUIET = 600; // ms without a key before a key can mean the offer

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const shown = new WeakSet<Element>();

/** Somebody who is typing when the offer comes must not take it or turn it away by the next letter: until the keys rest, letters go to
    where they were meant to go. */
function shield(dialog: HTMLDialogElement, before: Element | null): void {
  const field = typing(before) && (before instanceof HTMLTextAreaElement || before instanceof HTMLInputElement) ? before : null;
  let last = performance.now();
  const guard = (event: KeyboardEvent): void => {
    const now = performance.now();
    if (now - last > QUIET || event.ctrlKey || event.metaKey || event.key === "Escape") return;
    last = now;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!field?.isConnected || event.key.length !== 1) return;
    field.setRangeText(event.key, field.selectionStart ?? field.value.length, field.selectionEnd ?? field.value.length, "end");
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  };
  addEventListener("keydown", guard, true);
  dialog.addEventListener("close", () => removeEventListener("keydown", guard, true));
}

function countDown(dialog: HTMLDialogElement, ends: number, whole: number, heading: string): void {
  const title = document.title;
  const ring = dialog.querySelector<HTMLElement>(".ring");
  const left = (): number => Math.max(0, ends - Date.now());
  const part = 100 - (left() / whole) * 100;
  const steps = calm.matches ? { easing: `steps(${Math.max(1, Math.round(left() / 1000))})` } : {};
  ring?.querySelector(".left")?.animate([{ strokeDashoffset: part }, { strokeDashoffset: 100 }], { duration: left(), fill: "forwards", ...steps });

  const tick = (): void => {
    const seconds = Math.ceil(left() / 1000);
    const figure = dialog.querySelector("[data-offer-left]");
    if (figure) figure.textContent = String(seconds);
    ring?.classList.toggle("soon", seconds <= SOON);
    document.title = document.title === title ? word("offer.title", { title: heading }) : title;
    if (!dialog.isConnected) return over();
    if (seconds > 0) return;
    say(word("offer.over"));
    dialog.close();
  };
  const over = (): void => {
    clearInterval(clock);
    clearInterval(bell);
    document.title = title;
  };
  const clock = setInterval(tick, 1000);
  const bell = setInterval(chime, AGAIN);
  dialog.addEventListener("close", over);
  tick();
}

function show(dialog: HTMLDialogElement): void {
  if (shown.has(dialog)) return;
  shown.add(dialog);
  const moment = (name: string): number => Date.parse(dialog.dataset[name] ?? "");
  const ahead = Date.now() - moment("now"); // how far this clock is ahead of the server's
  const ends = moment("expiresAt") + (Number.isNaN(ahead) ? 0 : ahead);
  const seconds = Math.ceil((ends - Date.now()) / 1000);
  if (!(seconds > 0)) return dialog.remove();

  const before = document.activeElement;
  const customer = dialog.querySelector("h2")?.textContent ?? "";
  const heading = dialog.querySelector(".kind")?.textContent ?? "";
  openDialog(dialog);
  shield(dialog, before);
  (typing(before) ? dialog : dialog.querySelector<HTMLElement>("[data-offer-accept] button"))?.focus();
  say(word("offer.announce", { title: heading, customer, seconds }), true);
  chime();
  countDown(dialog, ends, moment("expiresAt") - moment("offeredAt"), heading);
  dialog.addEventListener("cancel", (event) => event.preventDefault()); // an offer is answered, not waved away
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("htmx:afterRequest", (event) => {
    if ((event as CustomEvent<{ successful: boolean }>).detail.successful) dialog.close();
  });
}

export function startOffers(): void {
  onContent((root) => {
    if (root instanceof HTMLDialogElement && root.matches("[data-offer]")) show(root);
    for (const dialog of root.querySelectorAll<HTMLDialogElement>("dialog[data-offer]")) show(dialog);
  });
}
