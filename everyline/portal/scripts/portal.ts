/** The bundle of public pages and of sign-in. Every page works without it; it saves people from mistakes. */

import { all, onContent, refuseLargeFiles } from "../../ground/scripts/dom";
import { startTimes } from "../../ground/scripts/time";
import { language, word } from "../../ground/scripts/words";

startTimes();
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
