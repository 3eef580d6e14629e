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
