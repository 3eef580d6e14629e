/** The answer as its customer will get it: button[data-preview="<id of a section>"] shows and hides that section, which the server fills at
    data-preview-href from the form, anew after every pause in writing. Whoever writes goes on writing: the focus stays where it is. */

import { all, onContent, say } from "../../ground/scripts/dom";
import { word } from "../../ground/scripts/words";

const PAUSE = 300; // ms

class Preview {
  private pause: ReturnType<typeof setTimeout> | undefined;
  private going: AbortController | undefined;

  constructor(
    private readonly button: HTMLElement,
    private readonly form: HTMLFormElement,
    private readonly section: HTMLElement,
  ) {
    button.addEventListener("click", () => void this.turn());
    for (const name of ["input", "change"]) form.addEventListener(name, () => this.later());
  }

  private async turn(): Promise<void> {
    const shown = this.section.hidden;
    this.button.setAttribute("aria-pressed", String(shown));
    if (shown) await this.look();
    else this.going?.abort();
    this.section.hidden = this.button.getAttribute("aria-pressed") !== "true";
    say(word(this.section.hidden ? "preview.hidden" : "preview.shown"));
  }

  private later(): void {
    clearTimeout(this.pause);
    if (this.section.hidden) return;
    this.pause = setTimeout(() => void this.look(), PAUSE);
  }

  private async look(): Promise<void> {
    this.going?.abort();
    const going = (this.going = new AbortController());
    const given = new FormData(this.form);
    const body = new URLSearchParams();
    for (const name of ["reply", "channel"]) body.set(name, String(given.get(name) ?? ""));
    const sight = this.section.querySelector<HTMLElement>(".sight");
    if (!sight) return;
    try {
      const answer = await fetch(this.button.dataset["previewHref"] ?? "", { method: "POST", body, headers: { "HX-Request": "true" }, signal: going.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      sight.innerHTML = await answer.text();
    } catch {
      if (!going.signal.aborted) sight.textContent = word("failed");
    }
  }
}

export function startPreviews(): void {
  onContent((root) => {
    for (const button of all(root, "[data-preview]")) {
      const section = document.getElementById(button.dataset["preview"] ?? "");
      const form = button.closest("form");
      if (!section || !form || button.dataset["watched"]) continue;
      button.dataset["watched"] = "yes";
      new Preview(button, form, section);
    }
  });
}
