/** The bundle of public pages and of sign-in. Every page works without it; it saves people from mistakes. */

import { all, onContent, refuseLargeFiles } from "../../ground/scripts/dom";
import { startTimes } from "../../ground/scripts/time";
import { language, word } from "../../ground/scripts/words";
import "./suggest";
import "./linked";
import { startSwaps } from "./swap";

startTimes();
startSwaps();
refuseLargeFiles(document, language);
onContent((root) => root.querySelector<HTMLElement>("[data-focus]")?.focus());

// a form is sent once, however often its button is pressed
for (const form of all<HTMLFormElement>(document, "form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset["sent"]) return event.preventDefault();
    form.dataset["sent"] = "yes";
    const button = event.submitter;
    if (button) button.textContent = word("sending");
  });
}
// a page that comes back from the browser's memory can be sent again
addEventListener("pageshow", (event) => event.persisted && location.reload());

// a part of a page that is read again every so often, as long as somebody looks at it
for (const part of all<HTMLElement>(document, "[data-again-href]")) {
  setInterval(async () => {
    if (document.hidden) return;
    const answer = await fetch(part.dataset["againHref"]!);
    const fresh = answer.ok ? await answer.text() : "";
    if (fresh && fresh !== part.dataset["held"]) {
      if (part.dataset["held"] !== undefined) part.innerHTML = fresh;
      part.dataset["held"] = fresh;
    }
  }, Number(part.dataset["again"]) * 1000);
}

// a menu of the head closes when one goes elsewhere, and by Escape
for (const menu of all<HTMLDetailsElement>(document, "details[data-closes]")) {
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
  document.addEventListener("click", (event) => !menu.contains(event.target as Node) && (menu.open = false));
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget as Node)) menu.open = false;
  });
}

// the worker keeps static files, and a page for when there is no connection
const { worker, scope } = document.body.dataset;
if (worker && scope && "serviceWorker" in navigator) navigator.serviceWorker.register(worker, { scope }).catch(() => undefined);
