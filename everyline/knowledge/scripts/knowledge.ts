/** The editor of an article: <form data-editor data-keep-href>. It works as a plain form; this adds
    keeping    the whole form is posted to data-keep-href, 3 s after the last key; [data-kept] says so. What another has written meanwhile is never
               written over: the place says so, and saving shows the difference
    files      [data-put] puts its Markdown where the cursor stands
    pictures   [data-format=picture] leads to the field for files */

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

  /** The form goes out by itself: nothing may follow it. */
  stop(): void {
    this.ended = true;
    clearTimeout(this.pause);
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
    try {
      const answer = await fetch(this.address, { method: "POST", body: this.body() });
      const found = (await answer.json()) as Kept;
      if (found.revision !== undefined) this.field("revision").value = String(found.revision);
      if (found.overtaken) this.stop();
      this.say(found.said, !answer.ok);
    } catch {
      this.dirty = true;
      this.say(this.form.dataset["failed"] ?? "", true);
      this.pause = setTimeout(() => this.next(), AGAIN);
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
  form.addEventListener("submit", () => keeper.stop());
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
