/** Settings that are found out: <form data-propose="/where"> is posted there without its passwords when its field `address` has changed, or
    when the button that leads there is pressed. The answer is JSON: `said` goes into [data-proposed], `values` into fields that nobody
    has touched, `carried` into hidden fields within [data-carried]. Without scripts the button gets the whole page. */

import { make, onContent } from "./dom";
import { word } from "./words";

interface Found {
  said: string;
  values: Record<string, string>;
  carried: Record<string, string>;
}

class Proposal {
  private readonly touched = new Set<string>();
  private readonly filled = new Map<string, string>(); // by us, so that another address may fill it anew
  private going: AbortController | undefined;
  private filling = false;

  constructor(
    private readonly form: HTMLFormElement,
    private readonly address: string,
  ) {
    form.addEventListener("change", (event) => {
      if (this.filling) return;
      const field = event.target as HTMLInputElement;
      this.touched.add(field.name);
      if (field.name === "address" && field.value.trim()) void this.look();
    });
    form.addEventListener("submit", (event) => {
      if (!(event.submitter?.getAttribute("formaction") === address)) return;
      event.preventDefault();
      void this.look();
    });
    const typed = form.elements.namedItem("address"); // perhaps before this script was there
    if (typed instanceof HTMLInputElement && typed.value !== typed.defaultValue && typed !== document.activeElement) {
      this.touched.add(typed.name);
      void this.look();
    }
  }

  private async look(): Promise<void> {
    this.going?.abort();
    const going = (this.going = new AbortController());
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(this.form)) {
      const secret = this.form.querySelector(`[type=password][name="${CSS.escape(name)}"]`);
      if (typeof value === "string" && !secret && !(this.filled.get(name) === value && !this.touched.has(name))) body.append(name, value);
    }
    for (const old of this.carriers()) body.delete(old.name);
    this.say(word("propose.looking"));
    try {
      const answer = await fetch(this.address, { method: "POST", body, headers: { "HX-Request": "true" }, signal: going.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      this.take((await answer.json()) as Found);
    } catch {
      if (!going.signal.aborted) this.say(word("failed"));
    }
  }

  private take({ said, values, carried }: Found): void {
    for (const [name, value] of Object.entries(values)) {
      if (this.touched.has(name)) continue;
      const field = this.form.elements.namedItem(name);
      if (!(field instanceof RadioNodeList || field instanceof HTMLInputElement || field instanceof HTMLSelectElement)) continue;
      field.value = value;
      this.filled.set(name, value);
    }
    const place = this.form.querySelector("[data-carried]");
    place?.replaceChildren(...Object.entries(carried).map(([name, value]) => make("input", { type: "hidden", name, value })));
    this.filling = true;
    this.form.querySelector("[name=address]")?.dispatchEvent(new Event("change", { bubbles: true })); // for what is shown with certain values only
    this.filling = false;
    this.say(said);
  }

  private carriers(): NodeListOf<HTMLInputElement> {
    return this.form.querySelectorAll<HTMLInputElement>("[data-carried] input");
  }

  private say(words: string): void {
    const place = this.form.querySelector("[data-proposed]");
    if (place) place.textContent = words;
  }
}

export function startProposals(): void {
  onContent((root) => {
    for (const form of root.querySelectorAll<HTMLFormElement>("form[data-propose]")) {
      const address = form.dataset["propose"];
      delete form.dataset["propose"];
      if (address) new Proposal(form, address);
    }
  });
}
