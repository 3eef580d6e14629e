/** Toasts: what was done, and how to undo it, with the time that is left to. They come from the server (into #toasts, or by the
    header HX-Trigger: {"toast": {"text": …, "undo": …, "seconds": …}}) or from here. */

import { make, onContent, contentArrived, icon } from "./dom";
import { word } from "./words";

export interface Toast {
  text: string;
  /** address that is posted to */
  undo?: string;
  /** how long it can be undone; 0 or nothing: stays a while; -1: until it is closed */
  seconds?: number;
  tone?: "" | "bad";
}

const A_WHILE = 6;

export function toast({ text, undo, seconds = 0, tone = "" }: Toast): void {
  const close = make("button", { class: "button bare square", type: "button", "data-close": "", "aria-label": word("close") }, icon("close"));
  const parts: Node[] = [make("p", {}, text)];
  if (undo) {
    const button = make("button", { class: "button", type: "submit", "data-key": "mod+z", "data-action-label": word("undo") }, word("undo"));
    parts.push(make("form", { method: "post", action: undo, "hx-post": undo, "hx-swap": "none" }, button));
  }
  parts.push(close);
  if (undo) parts.push(make("i", { class: "left", "aria-hidden": "true" }));
  const shown = make("div", { class: `toast ${tone}`, "data-toast": "", "data-seconds": String(seconds) }, ...parts);
  document.getElementById("toasts")?.append(shown);
  contentArrived(shown);
}

function watch(shown: HTMLElement): void {
  if (shown.dataset["watched"]) return;
  shown.dataset["watched"] = "yes";
  const asked = Number(shown.dataset["seconds"]);
  const close = (): void => shown.remove();
  shown.addEventListener("click", (event) => {
    if ((event.target as Element).closest("[data-close]")) close();
  });
  shown.addEventListener("htmx:afterRequest", (event) => {
    if ((event as CustomEvent<{ successful: boolean }>).detail.successful) close();
  });
  if (asked < 0) return;
  const bar = shown.querySelector(".left") ?? shown;
  const steps: Keyframe[] = bar === shown ? [] : [{ transform: "scaleX(1)" }, { transform: "scaleX(0)" }];
  const clock = bar.animate(steps, { duration: (asked || A_WHILE) * 1000, fill: "forwards" });
  clock.onfinish = close;
  // time stands still while somebody reads or is about to press
  for (const name of ["pointerenter", "focusin"]) shown.addEventListener(name, () => clock.pause());
  for (const name of ["pointerleave", "focusout"]) shown.addEventListener(name, () => clock.play());
}

export function startToasts(): void {
  onContent((root) => {
    if (root instanceof HTMLElement && root.matches("[data-toast]")) watch(root);
    for (const shown of root.querySelectorAll<HTMLElement>("[data-toast]")) watch(shown);
  });
  document.addEventListener("toast", (event) => toast((event as CustomEvent<Toast>).detail));
}
