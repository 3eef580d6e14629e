/** The board: figures are put where they stand as they change, glow once, and ring once when they turn to trouble.

    The stream's event `board.changed` (scripts/live.ts hands it on) brings cells as HTML by the id of their place, the tones of rows and
    their order. Without a place for one of them, or with another order, the whole body is read again. */

import { all, onContent, say } from "../../ground/scripts/dom";
import { chime, startSound } from "../../ground/scripts/sound";

interface Changed {
  whole: boolean;
  order: string[];
  cells: Record<string, string>;
  tones: Record<string, string>;
  said: string[];
  rings: boolean;
}

const MUTED = "everyline.board.muted";
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function body(): HTMLElement | null {
  return document.getElementById("board-body");
}

function rows(): string[] {
  return all(body() ?? document, "[data-line]").map((row) => row.dataset["line"] ?? "");
}

/** Put a cell in its place; false when it has none. What has the focus keeps it. */
function put(name: string, html: string, glows: boolean): boolean {
  const place = document.getElementById(`c-${name}`);
  if (!place) return false;
  const focused = place.contains(document.activeElement) ? [...place.querySelectorAll("a, summary")].indexOf(document.activeElement as Element) : -1;
  const opened = place.querySelector("details")?.open ?? false;
  const before = place.textContent;
  place.innerHTML = html;
  const details = place.querySelector("details");
  if (details) details.open = opened;
  if (focused >= 0) place.querySelectorAll<HTMLElement>("a, summary")[focused]?.focus();
  if (glows && !name.startsWith("block.") && before !== place.textContent && !calm.matches) {
    place.classList.remove("changed");
    void place.offsetWidth; // begins the glow anew
    place.classList.add("changed");
  }
  return true;
}

/** The tone of each of the totals is that of its figure. */
function toneTotals(): void {
  for (const place of all(document, ".sums > [data-cell]")) {
    place.dataset["tone"] = place.querySelector("small > .icon") ? "bad" : "";
  }
}

function hear(changed: Changed): void {
  const place = body();
  if (!place) return;
  const shown = rows();
  const known = changed.order.length === shown.length && changed.order.every((key, at) => key === shown[at]);
  if (!known) {
    place.dispatchEvent(new CustomEvent("refresh"));
    return;
  }
  for (const [name, html] of Object.entries(changed.cells)) put(name, html, !changed.whole);
  for (const [key, tone] of Object.entries(changed.tones)) {
    const row = place.querySelector<HTMLElement>(`[data-line="${CSS.escape(key)}"]`);
    if (row) row.dataset["tone"] = tone;
  }
  toneTotals();
  place.dataset["updated"] = String(Date.now());
  if (changed.said.length) say(changed.said.join(". "), changed.rings);
  if (changed.rings && localStorage.getItem(MUTED) !== "yes") chime();
}

function startMuting(button: HTMLElement): void {
  const tell = (): void => button.setAttribute("aria-pressed", String(localStorage.getItem(MUTED) !== "yes"));
  button.addEventListener("click", () => {
    localStorage.setItem(MUTED, localStorage.getItem(MUTED) === "yes" ? "no" : "yes");
    tell();
  });
  tell();
}

/** On the wall everything but the figures goes, and the screen stays awake. */
async function hang(): Promise<void> {
  if (!document.querySelector(".board.wall")) return;
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    // a screen that goes dark by itself is the machine's own to set
  }
}

function startClock(time: HTMLTimeElement): void {
  const zone = time.title;
  const shown = new Intl.DateTimeFormat(document.documentElement.lang || "en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
  setInterval(() => (time.textContent = shown.format(Date.now())), 1000);
}

startSound();
document.addEventListener("live:board.changed", (event) => hear((event as CustomEvent<Changed>).detail));
onContent((root) => {
  for (const button of all(root, "[data-board-sound]")) startMuting(button);
  for (const time of all<HTMLTimeElement>(root, "[data-board-clock]")) startClock(time);
});
document.addEventListener("visibilitychange", () => void (document.visibilityState === "visible" && hang()));
document.addEventListener("click", (event) => {
  const link = (event.target as Element).closest<HTMLAnchorElement>("a[data-board-wall]");
  const main = document.querySelector(".board");
  if (!link || !main) return; // without scripts the link leads there
  event.preventDefault();
  main.classList.add("wall");
  history.replaceState(null, "", link.href);
  void document.documentElement.requestFullscreen?.().catch(() => undefined);
  void hang();
});
document.addEventListener("fullscreenchange", () => {
  const back = document.querySelector<HTMLElement>("[data-board-wall]")?.dataset["boardWall"];
  if (document.fullscreenElement || !back) return;
  document.querySelector(".board")?.classList.remove("wall");
  history.replaceState(null, "", back);
});
void hang();
