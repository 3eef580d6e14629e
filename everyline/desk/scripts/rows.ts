/** The list beside an open case: a case that is opened from it without loading the page is marked in it, and the page says that a case is open. */

import { all, say } from "../../ground/scripts/dom";

export function startRows(): void {
  document.addEventListener("htmx:afterSwap", (event) => {
    const asked = (event as CustomEvent<{ requestConfig: { elt: Element } }>).detail.requestConfig.elt;
    if (!(asked instanceof HTMLElement) || !asked.matches("[data-opens]")) return;
    for (const row of all(document, "[data-opens][aria-current]")) row.removeAttribute("aria-current");
    // the row that was pressed may have been drawn anew meanwhile
    const row = document.getElementById(asked.id) ?? asked;
    row.setAttribute("aria-current", "true");
    row.classList.remove("new");
    row.querySelector(".unread")?.remove();
    document.getElementById("main")?.setAttribute("data-open", "case");
    say(document.getElementById("subject")?.textContent ?? "");
    // beside the case the row keeps the focus, so that J and K go on from it; on a phone the list is out of sight
    if (!row.checkVisibility()) document.getElementById("timeline")?.focus({ preventScroll: true });
  });
}
