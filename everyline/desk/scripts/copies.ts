/** Who gets a copy: [data-copies] holds checked boxes named copies, one for each, a field [data-copies-add] for more, and a <template> with one box.
    Without scripts a box is unchecked and addresses are typed into the field, commas between them; this makes it chips:
    Enter, comma or semicolon take what was typed; Space, Delete or Backspace on a chip take it away; the arrows go from one to the next.
    Whether an address is one is for the server to say. */

import { all, onContent, say } from "../../ground/scripts/dom";
import { word } from "../../ground/scripts/words";

const ENDS = /[,;\n]/;
const LOOKS_WHOLE = /^(?:[^<>@]*<)?[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+>?$/;

class Copies {
  private readonly field: HTMLInputElement;
  private readonly pattern: HTMLTemplateElement;

  constructor(private readonly room: HTMLElement) {
    this.field = room.querySelector<HTMLInputElement>("[data-copies-add]")!;
    this.pattern = room.querySelector("template")!;
    room.addEventListener("change", (event) => event.target instanceof HTMLInputElement && event.target.type === "checkbox" && this.remove(event.target));
    room.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("input", () => ENDS.test(this.field.value) && this.take(false));
    this.field.addEventListener("blur", () => this.take(false));
  }

  private boxes(): HTMLInputElement[] {
    return all<HTMLInputElement>(this.room, "input[type=checkbox]");
  }

  /** Make chips of what was typed. What does not look like an address stays in the field, unless it is meant (``all``). */
  private take(meant: boolean): void {
    const typed = this.field.value;
    const pieces = typed.split(ENDS).map((piece) => piece.trim()).filter(Boolean);
    const left: string[] = [];
    for (const piece of pieces) if (meant || LOOKS_WHOLE.test(piece)) this.add(piece);
    else left.push(piece);
    if (left.length === pieces.length) return;
    this.field.value = left.join(", ");
    this.changed();
  }

  private add(address: string): void {
    if (this.boxes().some((box) => box.value.toLowerCase() === address.toLowerCase())) return;
    const chip = this.pattern.content.firstElementChild!.cloneNode(true) as HTMLElement;
    chip.querySelector("input")!.value = address;
    chip.querySelector(".clip")!.textContent = address;
    this.field.before(chip);
    say(word("copies.added", { name: address }));
  }

  private remove(box: HTMLInputElement): void {
    const boxes = this.boxes();
    const at = boxes.indexOf(box);
    const name = box.closest("label")?.textContent.trim() ?? box.value;
    (boxes[at + 1] ?? boxes[at - 1] ?? this.field).focus();
    box.closest("label")?.remove();
    say(word("copies.removed", { name }));
    this.changed();
  }

  private key(event: KeyboardEvent): void {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const stops: HTMLInputElement[] = [...this.boxes(), this.field];
    const at = stops.indexOf(event.target as HTMLInputElement);
    const inField = event.target === this.field;
    const atStart = this.field.selectionStart === 0 && this.field.selectionEnd === 0;
    if (inField && event.key === "Enter") this.take(true);
    else if (inField && (event.key === "Backspace" || event.key === "ArrowLeft") && atStart && stops.length > 1) stops[at - 1]?.focus();
    else if (!inField && (event.key === "Delete" || event.key === "Backspace" || event.key === "Enter")) this.remove(stops[at]!);
    else if (!inField && event.key === "ArrowLeft") stops[at - 1]?.focus();
    else if (!inField && event.key === "ArrowRight") stops[at + 1]?.focus();
    else return;
    event.preventDefault();
  }

  private changed(): void {
    this.room.dispatchEvent(new InputEvent("input", { bubbles: true })); // the draft is kept
  }
}

export function startCopies(): void {
  onContent((root) => {
    for (const room of all(root, "[data-copies]")) {
      if (room.dataset["watched"]) continue;
      room.dataset["watched"] = "yes";
      new Copies(room);
    }
  });
}
