/** The editor of an article: <form data-editor data-keep-href>. It works as a plain form; this adds
    keeping    the whole form is posted to data-keep-href, 3 s after the last key; [data-kept] says so. What another has written meanwhile is never
               written over: the place says so, and saving shows the difference
    files      [data-put] puts its Markdown where the cursor stands
    pictures   [data-format=picture] leads to the field for files
    steps      a way that leads to a new step shows that step at once */

import { block } from "../../desk/scripts/format";
import { make } from "../../ground/scripts/dom";

const PAUSE = 3000; // ms
const AGAIN = 15_000;

interface Kept {
  said: string;
  revision?: number;
  overtaken?: boolean;
}

class Keeper {
  private pause: ReturnType<typeof setTimeout> | undefined;
  private dirty = false;
  private going: Promise<void> = Promise.resolve();
  private busy = false;
  private ended = false;

  constructor(
    private readonly form: HTMLFormElement,
    private readonly address: string,
  ) {}

  touched(): void {
    this.dirty = true;
    clearTimeout(this.pause);
    this.pause = setTimeout(() => this.next(), PAUSE);
  }

  /** Nothing may follow what goes out now. */
  stop(): void {
    this.ended = true;
    clearTimeout(this.pause);
  }

  /** The form goes out; when something is on its way already, after that, with the revision that it brings. */
  submitted(event: SubmitEvent): void {
    this.stop();
    if (!this.busy) return;
    event.preventDefault();
    void this.going.then(() => this.form.requestSubmit(event.submitter));
  }

  leave(): void {
    if (this.dirty && !this.ended) void fetch(this.address, { method: "POST", body: this.body(), keepalive: true }).catch(() => undefined);
  }

  private next(): void {
    this.going = this.going.then(() => this.keep()); // one after the other: each goes on from the revision of the last
  }

  private body(): URLSearchParams {
    const found = new URLSearchParams();
    for (const [name, value] of new FormData(this.form)) if (typeof value === "string") found.append(name, value);
    return found;
  }

  private async keep(): Promise<void> {
    if (!this.dirty || this.ended) return;
    this.dirty = false;
    this.busy = true;
    try {
      const answer = await fetch(this.address, { method: "POST", body: this.body() });
      const found = (await answer.json()) as Kept;
      if (found.revision !== undefined) this.field("revision").value = String(found.revision);
      if (found.overtaken) this.stop();
      this.say(found.said, !answer.ok);
    } catch {
      this.dirty = true;
      this.say(this.form.dataset["failed"] ?? "", true);
      if (!this.ended) this.pause = setTimeout(() => this.next(), AGAIN);
    } finally {
      this.busy = false;
    }
  }

  private field(name: string): HTMLInputElement {
    return this.form.elements.namedItem(name) as HTMLInputElement;
  }

  private say(text: string, bad: boolean): void {
    const place = document.querySelector("[data-kept]");
    place?.replaceChildren(make("span", bad ? { class: "bad" } : {}, text));
  }
}

function edit(form: HTMLFormElement): void {
  const address = form.dataset["keepHref"];
  if (!address) return;
  const keeper = new Keeper(form, address);
  form.addEventListener("input", () => keeper.touched());
  form.addEventListener("submit", (event) => keeper.submitted(event));
  form.addEventListener("change", (event) => {
    const chosen = event.target as HTMLSelectElement;
    if (chosen.matches("[data-leads-to]") && chosen.value === "+") form.querySelector<HTMLButtonElement>("[data-shows-steps]")?.click();
  });
  addEventListener("pagehide", () => keeper.leave());
  document.addEventListener("click", (event) => {
    const pressed = (event.target as Element).closest<HTMLElement>("[data-put], [data-format=picture]");
    const area = form.querySelector<HTMLTextAreaElement>("textarea[data-formats]");
    if (!pressed || !area) return;
    event.preventDefault();
    if (pressed.dataset["put"]) block(area, pressed.dataset["put"]);
    else document.querySelector<HTMLInputElement>("#file")?.focus();
  });
}

document.querySelectorAll<HTMLFormElement>("form[data-editor]").forEach(edit);
