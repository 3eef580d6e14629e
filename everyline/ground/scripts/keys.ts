/** Keys, declared in HTML: data-key="r" on a button, a link or a field (data-key-also for a second one).

    A key is written "r", "shift+e", "mod+k" (Ctrl, on a Mac ⌘) or as a sequence "g i". Keys without mod are never read while somebody
    types. <body data-keys> changes them: JSON {"r": "x"} (an empty word switches one off), or "off" for all without mod. J and K move in a list:
    `.rows` with links, or [data-rows] with [data-row] inside. */

import { topDialog } from "./dialogs";
import { make, onContent } from "./dom";
import { opener } from "./menus";
import { word } from "./words";

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const SEQUENCE = 1200; // ms between the keys of a sequence
const WHILE_TYPING = new Set(["mod+k", "mod+enter", "mod+shift+e", "alt+arrowup", "alt+arrowdown", "alt+m", "alt+h"]);
const CAPS: Readonly<Record<string, string>> = { mod: MAC ? "⌘" : "Ctrl", shift: "⇧", alt: MAC ? "⌥" : "Alt", enter: "↵", escape: "Esc", arrowup: "↑", arrowdown: "↓" };

const setting = document.body.dataset["keys"] ?? "";
const off = setting === "off";
const changed: Readonly<Record<string, string>> = setting.startsWith("{") ? JSON.parse(setting) : {};

/** What somebody has to press for a key that is declared so; "" when it is off. */
function bound(key: string): string {
  return off && !key.startsWith("mod+") ? "" : (changed[key] ?? key);
}

function pressOf(event: KeyboardEvent): string {
  const sign = event.key.length === 1 && event.key.toLowerCase() === event.key.toUpperCase();
  const held = [
    (MAC ? event.metaKey : event.ctrlKey) && "mod",
    event.altKey && "alt",
    event.shiftKey && !sign && "shift",
  ].filter(Boolean);
  return [...held, event.key.toLowerCase()].join("+");
}

export function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  return target.matches("input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=range], [type=file])");
}

function reachable(element: HTMLElement): boolean {
  if (element.matches(":disabled, [aria-disabled=true]")) return false;
  if (element.closest(".side")) return true; // folded away on a narrow screen, and still a way to go
  const menu = element.closest(".menu");
  return menu ? (opener(menu)?.checkVisibility() ?? false) : element.checkVisibility();
}

/** Everything that can be done here and now: inside the open dialog only, if there is one. */
export function actions(selector: string): HTMLElement[] {
  return [...(topDialog() ?? document).querySelectorAll<HTMLElement>(selector)].filter(reachable);
}

export function act(element: HTMLElement): void {
  if (typing(element)) element.focus();
  else element.click();
}

function keysOf(element: HTMLElement): string[] {
  return [element.dataset["key"], element.dataset["keyAlso"]].flatMap((key) => (key && bound(key)) || []);
}

/** The key caps that show how to press a key. */
export function caps(key: string): HTMLElement[] {
  const pressed = bound(key);
  if (!pressed) return [];
  return pressed.split(" ").map((press) => {
    const names = press.split("+").map((name) => CAPS[name] ?? name.toUpperCase());
    return make("kbd", { class: "key" }, names.join(MAC ? "" : " "));
  });
}

export function nameOf(element: HTMLElement): string {
  const text = [...element.childNodes].filter((node) => !(node instanceof Element && node.matches(".key"))).map((node) => node.textContent);
  return element.dataset["actionLabel"] ?? element.getAttribute("aria-label") ?? text.join("").trim();
}

function step(by: 1 | -1): void {
  const rows = actions(".rows a.row, [data-rows] [data-row]");
  const here = rows.indexOf(document.activeElement as HTMLElement);
  const at = here >= 0 ? here : rows.findIndex((row) => row.hasAttribute("aria-current"));
  const next = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

let begun = "";
let beginning: ReturnType<typeof setTimeout> | undefined;

function find(press: string, target: EventTarget | null): HTMLElement | undefined {
  const found = actions("[data-key]").filter((element) => keysOf(element).includes(press));
  const form = target instanceof Element ? target.closest("form") : null;
  return found.find((element) => form?.contains(element)) ?? found[0];
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || event.repeat && !/^[jk]$/i.test(event.key)) return;
  if ((event.target as Element).closest?.(".menu:popover-open")) return;
  const press = pressOf(event);
  if (typing(event.target) && !WHILE_TYPING.has(press)) return;
  const whole = begun ? `${begun} ${press}` : press;
  clearTimeout(beginning);
  begun = "";
  if (whole === bound("j") || whole === bound("k")) return step(whole === bound("j") ? 1 : -1);
  const element = find(whole, event.target);
  if (element) {
    event.preventDefault();
    act(element);
  } else if (actions("[data-key]").some((other) => keysOf(other).some((key) => key.startsWith(`${whole} `)))) {
    begun = whole;
    beginning = setTimeout(() => (begun = ""), SEQUENCE);
  }
}

/** aria-keyshortcuts and the caps on buttons say what is really to be pressed. */
function label(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-key]")) {
    const key = element.dataset["key"] ?? "";
    const pressed = bound(key);
    const cap = element.querySelector(".key");
    if (cap) cap.textContent = caps(key).map((one) => one.textContent).join(" ");
    if (cap) cap.classList.toggle("unseen", !pressed);
    if (!pressed || pressed.includes(" ")) element.removeAttribute("aria-keyshortcuts");
    else element.setAttribute("aria-keyshortcuts", pressed.replace("mod", MAC ? "Meta" : "Control").replace(/(^|\+)(\w)/g, (_all, plus: string, letter: string) => plus + letter.toUpperCase()));
  }
}

function list(into: Element): void {
  const known = new Map<string, HTMLElement>();
  for (const element of document.querySelectorAll<HTMLElement>(":not(dialog *)[data-key]")) {
    if (reachable(element)) known.set(element.dataset["key"] ?? "", element);
  }
  const rows = [...known].filter(([key]) => bound(key)).map(([key, element]) => make("div", {}, make("dt", {}, nameOf(element)), make("dd", {}, ...caps(key))));
  if (bound("j")) rows.unshift(make("div", {}, make("dt", {}, word("keys.move")), make("dd", {}, ...caps("j"), ...caps("k"))));
  into.replaceChildren(...(rows.length ? rows : [make("p", {}, word("keys.none"))]));
}

export function startKeys(): void {
  onContent(label);
  document.addEventListener("keydown", onKey);
  document.addEventListener("dialog:open", (event) => {
    const into = (event.target as Element).querySelector(".keys-list");
    if (into) list(into);
  });
}
