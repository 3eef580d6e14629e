/** Times that stay true while the page is open.

    <time datetime data-relative="clock">   only gets the whole moment with its zone on hover
    … "ago" 4 minutes ago · "for" for 4 min · "since" 3:42, counting up · "age" 3:42 within the hour, then 2 hr 10 min
    <span class="goal" data-due data-goal-seconds>   ring, words and tone of a goal */

import { onContent } from "./dom";
import { language, word } from "./words";

const MINUTE = 60_000, HOUR = 3_600_000, DAY = 86_400_000;
const whole = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" });
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });

function unit(value: number, name: "second" | "minute" | "hour" | "day"): string {
  return new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "short" }).format(value);
}

/** A span in its two largest units that matter: "1 hr 12 min". */
export function span(milliseconds: number): string {
  const left = Math.max(0, milliseconds);
  if (left < MINUTE) return unit(Math.floor(left / 1000), "second");
  if (left < HOUR) return unit(Math.floor(left / MINUTE), "minute");
  const [large, small] = left < DAY ? ([HOUR, MINUTE] as const) : ([DAY, HOUR] as const);
  const rest = Math.floor((left % large) / small);
  const first = unit(Math.floor(left / large), left < DAY ? "hour" : "day");
  return rest ? `${first} ${unit(rest, left < DAY ? "minute" : "hour")}` : first;
}

function ago(milliseconds: number): string {
  if (milliseconds < HOUR) return relative.format(-Math.floor(milliseconds / MINUTE), "minute");
  if (milliseconds < DAY) return relative.format(-Math.floor(milliseconds / HOUR), "hour");
  return relative.format(-Math.floor(milliseconds / DAY), "day");
}

function counting(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (value: number): string => String(value).padStart(2, "0");
  const minutes = `${seconds >= 3600 ? two(Math.floor(seconds / 60) % 60) : Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  return seconds >= 3600 ? `${Math.floor(seconds / 3600)}:${minutes}` : minutes;
}

function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function tellTime(time: HTMLTimeElement, now: number): void {
  const passed = now - Date.parse(time.dateTime);
  if (Number.isNaN(passed)) return;
  const kind = time.dataset["relative"];
  if (kind === "ago") write(time, ago(passed));
  else if (kind === "for") write(time, word("for", { time: span(passed) }));
  else if (kind === "since") write(time, counting(passed));
  else if (kind === "age") write(time, passed < HOUR ? counting(passed) : span(passed));
}

function tellGoal(goal: HTMLElement, now: number): void {
  const left = Date.parse(goal.dataset["due"] ?? "") - now;
  if (Number.isNaN(left)) return;
  const part = Math.max(0, Math.min(100, (left / 10) / Number(goal.dataset["goalSeconds"] || 1)));
  goal.querySelector(".left")?.setAttribute("stroke-dasharray", `${Math.round(part)} 100`);
  goal.classList.toggle("soon", left > 0 && part <= 20);
  goal.classList.toggle("missed", left <= 0);
  const words = goal.querySelector(".goal-words");
  if (words) write(words, left > 0 ? span(left) : word("late", { time: span(-left) }));
}

export function startTimes(): void {
  onContent((root) => {
    for (const time of root.querySelectorAll<HTMLTimeElement>("time[data-relative]:not([title])")) {
      const moment = Date.parse(time.dateTime);
      if (!Number.isNaN(moment)) time.title = whole.format(moment);
    }
  });
  let beat = 0;
  setInterval(() => {
    const now = Date.now();
    const slow = beat++ % 15 === 0;
    const times = slow ? "time[data-relative]:not([data-relative=clock])" : "time:is([data-relative=since], [data-relative=age])";
    for (const time of document.querySelectorAll<HTMLTimeElement>(times)) tellTime(time, now);
    if (slow) for (const goal of document.querySelectorAll<HTMLElement>(".goal[data-due]")) tellGoal(goal, now);
  }, 1000);
}
