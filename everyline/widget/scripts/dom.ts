/** Elements without markup as text: the page around may forbid that (Trusted Types), and what strangers wrote must stay text. */

export type Child = Node | string | false | null | undefined;
type Facts = Record<string, unknown>;

/** An element. Facts that begin with "on" are listeners, true is an attribute without a value, false and "" are none. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, facts: Facts = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(facts)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value as EventListener);
    else if (value !== false && value !== "" && value != null) made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((one): one is Node | string => one !== false && one != null && one !== ""));
  return made;
}

const SHAPES = {
  back: "m14.5 6-6 6 6 6", next: "m9.5 6 6 6-6 6", close: "m6 6 12 12M18 6 6 18", more: "M5.5 12h.01M12 12h.01M18.5 12h.01",
  chat: "M5 4.5h14a2 2 0 0 1 2 2v8.5a2 2 0 0 1-2 2h-7l-4.75 3.75V17H5a2 2 0 0 1-2-2V6.5a2 2 0 0 1 2-2zM8 10.75h.01M12 10.75h.01M16 10.75h.01",
  search: "M17.5 11a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0zM16 16l4.5 4.5", send: "M20.5 3.5 3.5 10.25l7 3.25 3.25 7zM10.5 13.5l4-4",
  clip: "m19.5 11.25-7.75 7.75a4.6 4.6 0 0 1-6.5-6.5l8-8a3.05 3.05 0 0 1 4.3 4.3l-7.9 7.9a1.5 1.5 0 0 1-2.15-2.15l7.25-7.25",
  mail: "M5 5h14a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2zM3.75 7l8.25 6 8.25-6",
  book: "M3.5 5.5c3.2-1 5.9-.6 8.5 1.5 2.6-2.1 5.3-2.5 8.5-1.5V18.5c-3.2-1-5.9-.6-8.5 1.5-2.6-2.1-5.3-2.5-8.5-1.5zM12 7v13",
  phone: "M5.5 4h3l1.5 4-2 1.5a12 12 0 0 0 6.5 6.5l1.5-2 4 1.5v3a2 2 0 0 1-2 2A15.5 15.5 0 0 1 3.5 6a2 2 0 0 1 2-2z",
  lost: "M3 9.5a13 13 0 0 1 18 0M6.2 13a8.3 8.3 0 0 1 11.6 0M9.3 16.4a3.9 3.9 0 0 1 5.4 0M12 19.5h.01M4 4l16 16", check: "m5 12.75 4.5 4.5L19 7.5",
};

export function icon(name: keyof typeof SHAPES): SVGElement {
  const space = "http://www.w3.org/2000/svg";
  const made = document.createElementNS(space, "svg"), line = document.createElementNS(space, "path");
  for (const [key, value] of [["viewBox", "0 0 24 24"], ["class", "icon"], ["aria-hidden", "true"]] as const) made.setAttribute(key, value);
  line.setAttribute("d", SHAPES[name]);
  made.append(line);
  return made;
}

/** A button that shows a sign and says a word. */
export const sign = (name: keyof typeof SHAPES, label: string, onclick: () => void, cls = "") =>
  h("button", { type: "button", class: `sign ${cls}`, "aria-label": label, title: label, onclick }, icon(name));

const KEPT = new Set("P UL OL LI BLOCKQUOTE CODE PRE STRONG EM B I A BR H2 H3 H4 TABLE THEAD TBODY TR TH TD HR ASIDE DIV MARK IMG S DEL".split(" "));

type Trusting = { trustedTypes?: { createPolicy(name: string, rules: { createHTML(html: string): string }): { createHTML(html: string): string } } };
let trusted: { createHTML(html: string): string } | undefined;

/** HTML that the line made, as elements; only what is known is taken over, and attributes are not. */
export function safe(html: string, base: string): Node[] {
  let body: HTMLElement;
  try {
    // what is parsed lives in a document of its own, where nothing runs or is fetched
    trusted ??= (window as Trusting).trustedTypes?.createPolicy("everyline", { createHTML: (given) => given }) ?? { createHTML: (given) => given };
    body = new DOMParser().parseFromString(trusted.createHTML(html), "text/html").body;
  } catch {
    return [html.replace(/<[^>]*>/g, " ")].map((text) => document.createTextNode(text)); // the page allows no policy of ours
  }
  const copy = (from: Node): Node[] => [...from.childNodes].flatMap((one) => {
    if (one.nodeType === Node.TEXT_NODE) return [document.createTextNode(one.textContent ?? "")];
    if (!(one instanceof HTMLElement)) return [];
    if (!KEPT.has(one.tagName)) return copy(one);
    const made = document.createElement(one.tagName);
    if (one.tagName === "A") link(made as HTMLAnchorElement, one.getAttribute("href") ?? "", base);
    if (one.tagName === "IMG") {
      const source = new URL(one.getAttribute("src") ?? "", base);
      if (source.origin !== new URL(base).origin) return [];
      Object.assign(made, { src: source.href, alt: one.getAttribute("alt") ?? "", loading: "lazy" });
    }
    made.append(...copy(one));
    return [made];
  });
  return copy(body);
}

/** Where a link leads, when that is the web, a mailbox or a telephone. */
export function link(made: HTMLAnchorElement, href: string, base = location.href): HTMLAnchorElement {
  try {
    const to = new URL(href, base);
    if (["https:", "http:", "mailto:", "tel:"].includes(to.protocol)) Object.assign(made, { href: to.href, target: "_blank", rel: "noopener noreferrer" });
  } catch { /* no address */ }
  return made;
}

const SIGNS: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&#34;": '"', "&#39;": "'", "&quot;": '"' };

/** Text in which nothing but <mark> is HTML. */
export const marked = (html: string): Node[] => html.split(/<mark>|<\/mark>/).map((part, n) => {
  const text = part.replace(/&(?:amp|lt|gt|quot|#34|#39);/g, (found) => SIGNS[found] ?? found);
  return n % 2 ? h("mark", {}, text) : document.createTextNode(text);
});

/** Text with its addresses as links. */
export const linked = (text: string): Node[] => text.split(/(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]'])/).map((part, n) =>
  n % 2 ? link(h("a", {}, part), part) : document.createTextNode(part));
