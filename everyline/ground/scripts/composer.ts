/** The composer: <form data-composer data-draft-href>. Works as a plain form; this adds
    drafts        PUT of the whole form (without files) to data-draft-href, 800 ms after the last key; says so in [data-kept]
    warnings      [data-warning-for="<value of name=channel>"] is shown with that choice
    counter       data-limit on a choice of name=channel; [data-counter] shows it
    files         chosen, dropped or pasted; listed in [data-chosen] and sent with the form, or without such a list sent at once by the field's
                  own hx-post; data-max-bytes on the field */

import { all, icon, make, onContent, refuseLargeFiles, size } from "./dom";
import { language, word } from "./words";

const PAUSE = 800;
const clock = new Intl.DateTimeFormat(language, { timeStyle: "short" });

class Draft {
  private pause: ReturnType<typeof setTimeout> | undefined;
  private going: AbortController | undefined;
  private dirty = false;

  constructor(
    private readonly form: HTMLFormElement,
    private readonly address: string,
  ) {}

  touched(): void {
    this.dirty = true;
    clearTimeout(this.pause);
    this.pause = setTimeout(() => void this.keep(), PAUSE);
  }

  /** Once the form goes out, no draft may follow it: it would come back to life. */
  stop(): void {
    this.dirty = false;
    clearTimeout(this.pause);
    this.going?.abort();
  }

  async keep(leaving = false): Promise<void> {
    if (!this.dirty) return;
    this.dirty = false;
    clearTimeout(this.pause);
    this.going?.abort();
    const going = (this.going = new AbortController());
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(this.form)) if (typeof value === "string") body.append(name, value);
    if (!leaving) this.tell(word("draft.keeping"));
    try {
      const answer = await fetch(this.address, { method: "PUT", body, keepalive: leaving, ...(leaving ? {} : { signal: going.signal }) });
      if (!answer.ok) throw new Error(answer.statusText);
      this.tell(word("draft.kept", { time: clock.format(Date.now()) }));
    } catch {
      if (going.signal.aborted) return;
      this.dirty = true;
      this.tell(word("draft.failed"));
      this.pause = setTimeout(() => void this.keep(), PAUSE * 10);
    }
  }

  private tell(text: string): void {
    const place = this.form.querySelector("[data-kept]");
    if (place) place.textContent = text;
  }
}

function written(form: HTMLFormElement): HTMLTextAreaElement | undefined {
  return all<HTMLTextAreaElement>(form, "textarea").find((area) => area.checkVisibility());
}

function follow(form: HTMLFormElement): void {
  const channel = form.querySelector<HTMLInputElement>("[name=channel]:checked, select[name=channel]");
  for (const warning of all(form, "[data-warning-for]")) warning.hidden = warning.dataset["warningFor"] !== channel?.value;
  const counter = form.querySelector<HTMLElement>("[data-counter]");
  const limit = Number(channel?.dataset["limit"] ?? 0);
  const used = written(form)?.value.length ?? 0;
  if (!counter) return;
  counter.hidden = !limit;
  counter.textContent = word("counter", { used, limit });
  counter.classList.toggle("over", used > limit);
}

function listFiles(input: HTMLInputElement, into: Element): void {
  const files = [...(input.files ?? [])];
  into.replaceChildren(
    ...files.map((file, at) => {
      const away = make("button", { class: "button bare square", type: "button", "aria-label": word("files.remove", { name: file.name }) }, icon("close", "tiny"));
      away.addEventListener("click", () => put(input, files.filter((_other, other) => other !== at)));
      return make("li", {}, make("span", { class: "file" }, icon("clip", "small"), make("span", { class: "clip" }, file.name), make("small", {}, size(file.size, language)), away));
    }),
  );
}

function put(input: HTMLInputElement, files: readonly File[]): void {
  const carrier = new DataTransfer();
  for (const file of files) carrier.items.add(file);
  input.files = carrier.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

function takeFiles(form: HTMLFormElement): void {
  const input = form.querySelector<HTMLInputElement>("input[type=file]");
  const into = form.querySelector("[data-chosen]");
  if (!input) return;
  refuseLargeFiles(form, language);
  if (into) input.addEventListener("change", () => listFiles(input, into));
  else input.addEventListener("htmx:afterRequest", () => (input.value = "")); // they are with the draft now
  const add = (event: Event, from: DataTransfer | null): void => {
    if (!from?.files.length) return;
    event.preventDefault();
    put(input, [...(input.files ?? []), ...from.files]);
  };
  form.addEventListener("paste", (event) => add(event, event.clipboardData));
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
  for (const name of ["dragleave", "drop"]) form.addEventListener(name, () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => add(event, event.dataTransfer));
}

function compose(form: HTMLFormElement): void {
  if (form.dataset["watched"]) return;
  form.dataset["watched"] = "yes";
  takeFiles(form);
  follow(form);
  form.addEventListener("change", () => follow(form));
  form.addEventListener("input", () => follow(form));
  form.addEventListener("click", (event) => {
    const pressed = event.target as HTMLInputElement;
    if (pressed.name === "kind") written(form)?.focus(); // a click and not a change: the key of what is chosen already goes there too
  });
  const address = form.dataset["draftHref"];
  if (!address) return;
  const draft = new Draft(form, address);
  form.addEventListener("input", () => draft.touched());
  form.addEventListener("submit", () => draft.stop());
  form.addEventListener("htmx:beforeCleanupElement", (event) => event.target === form && void draft.keep(true));
  addEventListener("pagehide", () => form.isConnected && void draft.keep(true));
}

export function startComposer(): void {
  onContent((root) => all<HTMLFormElement>(root, "form[data-composer]").forEach(compose));
}
