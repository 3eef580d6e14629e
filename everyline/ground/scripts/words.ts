/** The words that scripts say. They come with the page as JSON (components/words.html), already translated. */

const source = document.getElementById("words")?.textContent;
const known: Readonly<Record<string, string>> = source ? JSON.parse(source) : {};

export const language = document.documentElement.lang || "en";

/** The words with this id, each {name} filled in; the id itself when the page did not bring them. */
export function word(id: string, fill: Readonly<Record<string, string | number>> = {}): string {
  return (known[id] ?? id).replace(/\{(\w+)\}/g, (_all, name: string) => String(fill[name] ?? ""));
}
