/** HTML messages stand in frames of their own, in which nothing runs; this makes each as tall as what it shows. */

import { all, onContent } from "../../ground/scripts/dom";

const TALLEST = 4000; // pixels; beyond that the frame scrolls

function fit(frame: HTMLIFrameElement): void {
  const shown = frame.contentDocument?.documentElement;
  if (!shown || !frame.contentDocument?.body.hasChildNodes()) return;
  frame.style.height = "0";
  frame.style.height = `${Math.min(TALLEST, shown.scrollHeight)}px`;
}

function watch(frame: HTMLIFrameElement): void {
  if (frame.dataset["watched"]) return;
  frame.dataset["watched"] = "yes";
  frame.addEventListener("load", () => {
    fit(frame);
    for (const picture of frame.contentDocument?.images ?? []) picture.addEventListener("load", () => fit(frame));
  });
  let width = 0;
  new ResizeObserver(() => {
    if (frame.clientWidth === width) return; // its height is ours
    width = frame.clientWidth;
    fit(frame);
  }).observe(frame);
  fit(frame);
}

export function startLetters(): void {
  onContent((root) => all<HTMLIFrameElement>(root, "iframe[data-letter]").forEach(watch));
}
