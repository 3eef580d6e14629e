/** Answers that come piece by piece: form[data-stream="<id of a list>"] posts, and each whole line of HTML that arrives is put at the
    end of that list. data-stream-now does it as soon as the page is there. Without scripts the form gets the whole page at the end. */

import { make, onContent } from "./dom";
import { toast } from "./toast";
import { word } from "./words";

async function run(form: HTMLFormElement, list: HTMLElement): Promise<void> {
  const waits = make("li", { class: "waits" }, make("i", { class: "busy" }));
  list.replaceChildren(waits);
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(), headers: { "HX-Request": "true" } });
  if (!answer.ok || !answer.body) throw new Error(String(answer.status));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) waits.insertAdjacentHTML("beforebegin", line);
  }
  waits.remove();
}

async function start(form: HTMLFormElement): Promise<void> {
  const list = document.getElementById(form.dataset["stream"] ?? "");
  if (!list || form.dataset["running"]) return;
  form.dataset["running"] = "yes";
  const buttons = form.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  try {
    await run(form, list);
  } catch {
    list.querySelector(".waits")?.remove();
    toast({ text: word("failed"), tone: "bad" });
  }
  for (const button of buttons) button.disabled = false;
  delete form.dataset["running"];
}

export function startStreams(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (!form.matches("[data-stream]")) return;
    event.preventDefault();
    void start(form);
  });
  onContent((root) => {
    for (const form of root.querySelectorAll<HTMLFormElement>("form[data-stream-now]")) {
      delete form.dataset["streamNow"];
      void start(form);
    }
  });
}
