/** The bar of calls. It is the server's to draw; this says to listeners what changed, rings, and shows which keys were pressed.

    section[data-call][data-call-says]   a call and how it stands, in words
    [data-call-rings]                    one rings here and waits for an answer
    [data-dials=KEY]                     what was pressed is added to [data-dialled] */

import { onContent, say } from "../../ground/scripts/dom";
import { chime } from "../../ground/scripts/sound";
import { word } from "../../ground/scripts/words";

const AGAIN = 4000; // ms between two sounds, as of an offer
const known = new Map<string, string>();

let bell: ReturnType<typeof setInterval> | undefined;

function ring(rings: boolean): void {
  if (rings && bell === undefined) {
    chime();
    bell = setInterval(chime, AGAIN);
  } else if (!rings) {
    clearInterval(bell);
    bell = undefined;
  }
}

function tell(): void {
  const bar = document.getElementById("calls");
  if (!bar) return;
  ring(bar.querySelector("[data-call-rings]") !== null);
  const now = new Map([...bar.querySelectorAll<HTMLElement>("[data-call]")].map((call) => [call.dataset["call"] ?? "", call]));
  for (const [id, call] of now) {
    const says = call.dataset["callSays"] ?? "";
    if (known.get(id) !== says) say(says);
    known.set(id, says);
  }
  for (const [id, says] of known) {
    if (now.has(id)) continue;
    known.delete(id);
    say(word("call.over", { name: says.split(",")[0] ?? "" }));
  }
}

export function startCalls(): void {
  onContent(tell);
  document.addEventListener("htmx:afterRequest", (event) => {
    const { successful, elt } = (event as CustomEvent<{ successful: boolean; elt: HTMLElement }>).detail;
    const shown = elt.closest(".keypad")?.querySelector("[data-dialled]");
    if (successful && shown && elt.dataset["dials"]) shown.textContent = `${shown.textContent ?? ""}${elt.dataset["dials"]}`.slice(-24);
  });
}
