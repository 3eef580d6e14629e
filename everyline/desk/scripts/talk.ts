/** While an agent answers in a live talk, its customer sees that somebody writes: <div data-talk="address that is told">. */

const AGAIN = 3000; // ms between two signs
const OVER = 6000;

export function startTalks(): void {
  let told = 0;
  let over: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener("input", (event) => {
    if ((event.target as HTMLElement).id !== "reply-text") return;
    const address = document.querySelector<HTMLElement>("[data-talk]")?.dataset["talk"];
    if (!address) return;
    const tell = (on: string) => void fetch(address, { method: "POST", body: new URLSearchParams({ on }) }).catch(() => undefined);
    clearTimeout(over);
    if (Date.now() - told > AGAIN) {
      told = Date.now();
      tell("yes");
    }
    over = setTimeout(() => {
      told = 0;
      tell("");
    }, OVER);
  });
}
