/** Fields that mean nothing without another: data-when="field=value" is shown only while that field of the same form has that value. */

import { onContent } from "./dom";

function look(form: HTMLFormElement): void {
  const given = new FormData(form);
  for (const part of form.querySelectorAll<HTMLElement>("[data-when]")) {
    const [name = "", value = ""] = (part.dataset["when"] ?? "").split("=");
    part.hidden = given.get(name) !== value;
  }
}

export function startWhen(): void {
  document.addEventListener("change", (event) => {
    const form = (event.target as HTMLInputElement).form;
    if (form) look(form);
  });
  onContent((root) => root.querySelectorAll<HTMLFormElement>("form:has([data-when])").forEach(look));
}
