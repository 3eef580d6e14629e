/** Markdown by button and by key: [data-format] buttons in a toolbar that names its textarea[data-formats] in aria-controls.
    Ctrl B and Ctrl I; Ctrl K when words are selected (else it opens the palette, as everywhere). Signs that stand there already are taken away
    again. A button with data-block puts in that text as lines of its own. The toolbar is one stop of Tab, the arrows go through it; without scripts it is not shown, and the signs can be typed. */

import { all, onContent } from "../../ground/scripts/dom";

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const KEYS: Readonly<Record<string, string>> = { b: "bold", i: "italic", k: "link" };
const ROUND: Readonly<Record<string, string>> = { bold: "**", italic: "*", code: "`" };
const BEFORE: Readonly<Record<string, (at: number) => string>> = { heading: () => "## ", bullets: () => "- ", numbers: (at) => `${at + 1}. `, quote: () => "> " };
const BEGUN: Readonly<Record<string, RegExp>> = { heading: /^#{1,6} /, bullets: /^[-*+] /, numbers: /^\d+[.)] /, quote: /^> ?/ };
const ADDRESS = /^(?:https?:\/\/|mailto:|tel:)\S+$/i;

/** Put text in place of what stands from one place to another, so that it can be undone, and select a part of it. */
function put(area: HTMLTextAreaElement, from: number, to: number, text: string, start: number, end: number): void {
  area.focus();
  area.setSelectionRange(from, to);
  // the only way that the browser's own undo knows of
  if (!document.execCommand(text ? "insertText" : "delete", false, text)) {
    area.setRangeText(text, from, to, "end");
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
  area.setSelectionRange(from + start, from + end);
}

function around(area: HTMLTextAreaElement, sign: string): void {
  const { selectionStart: from, selectionEnd: to, value } = area;
  const words = value.slice(from, to);
  const width = sign.length;
  if (sign === "`" && words.includes("\n")) return put(area, from, to, `\`\`\`\n${words}\n\`\`\``, 4, 4 + words.length);
  const outside = value.slice(from - width, from) === sign && value.slice(to, to + width) === sign;
  const doubled = sign === "*" && value.slice(from - 2, from) === "**" && value.slice(from - 3, from) !== "***"; // bold is not italic
  if (outside && !doubled) return put(area, from - width, to + width, words, 0, words.length);
  const blank = words.length - words.trimStart().length; // a sign beside a blank means nothing
  const bare = words.trim();
  const after = words.slice(blank + bare.length);
  put(area, from, to, words.slice(0, blank) + sign + bare + sign + after, blank + width, blank + width + bare.length);
}

function link(area: HTMLTextAreaElement): void {
  const { selectionStart: from, selectionEnd: to, value } = area;
  const words = value.slice(from, to);
  if (ADDRESS.test(words)) return put(area, from, to, `[](${words})`, 1, 1);
  put(area, from, to, `[${words}](https://)`, words ? words.length + 3 : 1, words ? words.length + 11 : 1);
}

function lines(area: HTMLTextAreaElement, what: string): void {
  const { value } = area;
  const from = value.lastIndexOf("\n", area.selectionStart - 1) + 1;
  const stop = value.indexOf("\n", area.selectionEnd);
  const to = stop < 0 ? value.length : stop;
  const before = value.slice(from, to).split("\n");
  const begun = BEGUN[what]!;
  const sign = BEFORE[what]!;
  const has = before.every((line) => begun.test(line));
  const text = before.map((line, at) => (has ? line.replace(begun, "") : sign(at) + line)).join("\n");
  put(area, from, to, text, before.length > 1 ? 0 : text.length, text.length);
}

/** Put a text of its own after the line where somebody writes, and select it. */
export function block(area: HTMLTextAreaElement, text: string): void {
  const { value } = area;
  const stop = value.indexOf("\n", area.selectionEnd);
  const at = stop < 0 ? value.length : stop;
  const before = value.slice(0, at).trim() ? "\n\n" : "";
  const after = stop < 0 || value.startsWith("\n\n", at) ? "" : "\n";
  put(area, at, at, before + text + after, before.length, before.length + text.length);
}

function format(area: HTMLTextAreaElement, what: string): void {
  if (what === "link") link(area);
  else if (ROUND[what]) around(area, ROUND[what]);
  else if (BEFORE[what]) lines(area, what);
}

function watch(area: HTMLTextAreaElement): void {
  if (area.dataset["watched"]) return;
  area.dataset["watched"] = "yes";
  area.addEventListener("keydown", (event) => {
    const what = KEYS[event.key.toLowerCase()];
    if (!what || !(MAC ? event.metaKey : event.ctrlKey) || event.altKey || event.shiftKey || event.isComposing) return;
    if (what === "link" && area.selectionStart === area.selectionEnd) return;
    event.preventDefault();
    event.stopPropagation();
    format(area, what);
  });
}

function bar(toolbar: HTMLElement): void {
  const area = document.getElementById(toolbar.getAttribute("aria-controls") ?? "");
  if (toolbar.dataset["watched"] || !(area instanceof HTMLTextAreaElement)) return;
  toolbar.dataset["watched"] = "yes";
  toolbar.hidden = false;
  const buttons = all<HTMLButtonElement>(toolbar, "[data-format], [data-preview]");
  toolbar.addEventListener("pointerdown", (event) => event.preventDefault()); // what is selected stays selected
  toolbar.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-format]");
    if (button?.dataset["block"]) block(area, button.dataset["block"]);
    else if (button?.dataset["format"]) format(area, button.dataset["format"]);
  });
  toolbar.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const next = { ArrowRight: buttons[(at + 1) % buttons.length], ArrowLeft: buttons.at(at - 1), Home: buttons[0], End: buttons.at(-1) }[event.key];
    if (!next) return;
    event.preventDefault();
    for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
    next.focus();
  });
}

export function startFormats(): void {
  onContent((root) => {
    all<HTMLTextAreaElement>(root, "textarea[data-formats]").forEach(watch);
    all(root, "[role=toolbar][aria-controls]").forEach(bar);
  });
}
