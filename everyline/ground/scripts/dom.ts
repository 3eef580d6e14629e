/** The few things every module needs from the page. */

import { word } from "./words";

type Reader = (root: ParentNode) => void;
const readers: Reader[] = [];

/** Run `read` on the page now, and on every part of it that arrives later. */
export function onContent(read: Reader): void {
  readers.push(read);
  read(document);
}

export function contentArrived(root: ParentNode): void {
  for (const read of readers) read(root);
}

/** All elements in `root` that match, `root` itself among them. */
export function all<T extends HTMLElement = HTMLElement>(root: ParentNode, selector: string): T[] {
  const found = [...root.querySelectorAll<T>(selector)];
  return root instanceof HTMLElement && root.matches(selector) ? [root as unknown as T, ...found] : found;
}

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** A symbol of the sprite; its address is taken from one that the page shows already. */
export function icon(name: string, size = ""): SVGSVGElement {
  const shown = document.querySelector(".icon use")?.getAttribute("href") ?? "";
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon ${size}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${shown.split("#")[0]}#i-${name}`);
  svg.append(use);
  return svg;
}

/** Say something to those who listen: when there is time, or at once. */
export function say(text: string, atOnce = false): void {
  const region = document.getElementById(atOnce ? "said-now" : "said");
  if (!region) return;
  region.textContent = "";
  // a region that is filled in the same moment as it is emptied is not read again
  setTimeout(() => (region.textContent = text), 50);
}

/** The bytes in words, in the reader's language. */
export function size(bytes: number, language: string): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
  const step = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const format = { style: "unit", unit: units[step] ?? "byte", unitDisplay: "short", maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(language, format).format(bytes / 1024 ** step);
}

/** Refuse files that are too large together, where the field says how large: data-max-bytes. */
export function refuseLargeFiles(root: ParentNode, language: string): void {
  for (const input of all<HTMLInputElement>(root, "input[type=file][data-max-bytes]")) {
    input.addEventListener("change", () => {
      const limit = Number(input.dataset["maxBytes"]);
      const files = [...(input.files ?? [])];
      const total = files.reduce((sum, file) => sum + file.size, 0);
      const largest = files.sort((one, other) => other.size - one.size)[0];
      const refused = largest && total > limit;
      input.setCustomValidity(refused ? word("files.large", { name: largest.name, limit: size(limit, language) }) : "");
      if (refused) input.reportValidity();
    });
  }
}
