/** Dialogs: data-dialog="<id>" opens one, data-close closes what is around it. Says "dialog:open" on a dialog before it shows.
    What is fetched into [data-fetched] stands there for one opening: the next begins with what was there first. */

import { onContent } from "./dom";

const KNOWS_CLOSEDBY = "closedBy" in HTMLDialogElement.prototype;

const first = new WeakMap<Element, Node[]>(); // what each place held before anything was fetched into it

/** Nobody is to answer the question before, perhaps about another case, while their own is on its way. */
function emptied(dialog: HTMLDialogElement): void {
  const place = dialog.querySelector("[data-fetched]");
  if (!place) return;
  const kept = first.get(place);
  if (kept) place.replaceChildren(...kept.map((node) => node.cloneNode(true)));
  else first.set(place, [...place.childNodes].map((node) => node.cloneNode(true)));
}

export function openDialog(dialog: HTMLDialogElement): void {
  if (dialog.open) return;
  emptied(dialog);
  dialog.dispatchEvent(new CustomEvent("dialog:open", { bubbles: true }));
  dialog.showModal();
}

/** The dialog that everything else waits for, if one is open. */
export function topDialog(): HTMLDialogElement | undefined {
  return [...document.querySelectorAll<HTMLDialogElement>("dialog:modal")].at(-1);
}

export function startDialogs(): void {
  document.addEventListener("click", (event) => {
    const pressed = event.target as Element;
    const named = pressed.closest<HTMLElement>("[data-dialog]")?.dataset["dialog"];
    const dialog = named && document.getElementById(named);
    if (dialog instanceof HTMLDialogElement) {
      event.preventDefault(); // a link to the same question as a page of its own
      openDialog(dialog);
    } else if (pressed.closest("[data-close]")) {
      pressed.closest("dialog")?.close();
    } else if (pressed instanceof HTMLDialogElement && pressed.getAttribute("closedby") === "any" && !KNOWS_CLOSEDBY) {
      pressed.close(); // a press beside it, where the browser does not know closedby
    }
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { successful, elt } = (event as CustomEvent<{ successful: boolean; elt: Element }>).detail;
    if (successful && elt.matches("form")) elt.closest("dialog")?.close();
  });
  onContent((root) => root.querySelector<HTMLElement>("[data-focus]")?.focus());
}
