/** data-copy="text": puts the text on the clipboard and says so. */

import { toast } from "./toast";
import { word } from "./words";

export function startCopy(): void {
  document.addEventListener("click", (event) => {
    const text = (event.target as Element).closest<HTMLElement>("[data-copy]")?.dataset["copy"];
    if (text !== undefined) void navigator.clipboard.writeText(text).then(() => toast({ text: word("copied") }));
  });
}
