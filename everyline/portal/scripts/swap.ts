/** Parts of a page that change in place. A link or form that names a part leads to a whole page without scripts; with them that
    page is read, and the part of the same id is taken from it. */

import { make } from "../../ground/scripts/dom";

async function swap(part: HTMLElement, url: string, init: RequestInit, remembered: boolean): Promise<boolean> {
  const answer = await fetch(url, init);
  if (!answer.ok) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(part.id);
  if (!fresh) return false;
  part.replaceWith(document.adoptNode(fresh));
  // what goes along with a question is another one at every step
  for (const one of document.querySelectorAll(".person")) {
    const other = page.querySelector(".person");
    if (other) one.replaceWith(document.adoptNode(other));
  }
  if (remembered) history.pushState({ part: part.id }, "", url);
  fresh.focus({ preventScroll: true });
  fresh.scrollIntoView({ block: "nearest" });
  return true;
}

export function startSwaps(): void {
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>("a[data-swap-link]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const part = document.getElementById(link.dataset["swapLink"]!);
    if (!part) return;
    event.preventDefault();
    swap(part, link.href, {}, true).then(
      (done) => done || location.assign(link.href),
      () => location.assign(link.href),
    );
  });
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    const part = document.getElementById(form.dataset["swapForm"] ?? "");
    if (!part || event.defaultPrevented) return;
    event.preventDefault();
    const sent = new URLSearchParams(new FormData(form, event.submitter) as unknown as Record<string, string>);
    const pressed = event.submitter as HTMLButtonElement | null;
    const plainly = (): void => {
      if (pressed?.name) form.append(make("input", { type: "hidden", name: pressed.name, value: pressed.value }));
      HTMLFormElement.prototype.submit.call(form);
    };
    swap(part, form.action, { method: "POST", body: sent }, false).then((done) => done || plainly(), plainly);
  });
  // going back and forth through the steps
  addEventListener("popstate", () => {
    const part = document.getElementById("guide");
    if (part) swap(part, location.href, {}, false).catch(() => location.reload());
  });
}
