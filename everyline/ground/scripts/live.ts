/** Live: one stream of events for the page.

    Topics are what the page names in data-live-topics and data-live-refresh, as words parted by spaces ("case:17 queue:3").
    Wire: GET /live?topics=a,b[&after=ID], server-sent events without a name: `id: <position>` and
    `data: {"kind": "case.answered", "topics": ["case:17"], …}`. Kind "live.reset" says that positions were lost: all is read again.

    For each event, `live:<kind>` is dispatched on the document (detail: the data), so that hx-trigger="live:case.answered from:document" works;
    every element whose data-live-refresh names one of its topics gets the event "refresh", when no menu is open in it, at most once in 50 ms, or in the time that its
    data-live-pause says (ms); the last one is never left out. */

import { make, onContent, say } from "./dom";
import { word } from "./words";

interface Happening {
  kind: string;
  topics: string[];
}

/** What htmx tells before an answer is put into the page. */
interface Arrival {
  target: HTMLElement;
  shouldSwap: boolean;
  requestConfig: { elt: HTMLElement; triggeringEvent?: Event };
}

const SIGNS = new Set(["talk.typing", "talk.here", "talk.seen"]); // transient: nothing that is kept has changed
const TOGETHER = 50; // ms in which refreshes become one
const PATIENCE = 2500; // ms before a break in the line is worth telling
const LONGEST_WAIT = 30_000;

let stream: EventSource | undefined;
let listening = "";
let position = document.body.dataset["liveFrom"] ?? "";
let tries = 0;
let told = false;
let retry: ReturnType<typeof setTimeout> | undefined;
let telling: ReturnType<typeof setTimeout> | undefined;
let reading: ReturnType<typeof setTimeout> | undefined;
let refreshing: ReturnType<typeof setTimeout> | undefined;
const waiting = new Set<HTMLElement>();
const resting = new WeakMap<Element, ReturnType<typeof setTimeout> | undefined>();

/** Tell an element now, or when its pause is over. */
function tell(element: HTMLElement): void {
  const pause = Number(element.dataset["livePause"] ?? 0);
  if (resting.has(element)) {
    waiting.add(element);
    return;
  }
  element.dispatchEvent(new CustomEvent("refresh"));
  if (!pause) return;
  const over = (): void => {
    resting.delete(element);
    if (waiting.delete(element) && element.isConnected) tell(element);
  };
  resting.set(element, setTimeout(over, pause));
}

const MENU = "[role=menu]:popover-open";

function topicsOf(element: HTMLElement): string[] {
  const named = `${element.dataset["liveTopics"] ?? ""} ${element.dataset["liveRefresh"] ?? ""}`;
  return named.split(/\s+/).filter(Boolean);
}

function wanted(): string {
  const elements = document.querySelectorAll<HTMLElement>("[data-live-topics], [data-live-refresh]");
  return [...new Set([...elements].flatMap(topicsOf))].sort().join(",");
}

function refresh(matches: (topics: string[]) => boolean): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-live-refresh]")) {
    if (matches((element.dataset["liveRefresh"] ?? "").split(/\s+/))) waiting.add(element);
  }
  refreshing ??= setTimeout(() => {
    refreshing = undefined;
    const now = [...waiting].filter((element) => element.isConnected);
    waiting.clear();
    for (const element of now) {
      if (element.querySelector(MENU)) waiting.add(element); // nothing is taken away under somebody's hand
      else tell(element);
    }
  }, TOGETHER);
}

/** What was asked for before a menu was opened does not take it away either: it is asked for again when it is closed. */
function arrives(event: Event): void {
  const { detail } = event as CustomEvent<Arrival>;
  if (detail.requestConfig.triggeringEvent?.type !== "refresh" || !detail.target.querySelector(MENU)) return;
  detail.shouldSwap = false;
  waiting.add(detail.requestConfig.elt);
}

function closed(event: Event): void {
  if ((event as ToggleEvent).newState === "closed" && waiting.size) refresh(() => false);
}

function hear(message: MessageEvent<string>): void {
  if (message.lastEventId) position = message.lastEventId;
  if (!message.data) return; // only a position
  const happening = JSON.parse(message.data) as Partial<Happening>;
  if (!happening.kind) return;
  const topics = happening.topics ?? [];
  document.dispatchEvent(new CustomEvent(`live:${happening.kind}`, { detail: happening }));
  if (SIGNS.has(happening.kind)) return;
  if (happening.kind === "live.reset") refresh(() => true);
  else refresh((named) => topics.some((topic) => named.includes(topic)));
}

function tellLost(): void {
  const place = document.getElementById("connection");
  if (told || !place) return;
  told = true;
  const again = make("button", { class: "button", type: "button" }, word("lost.now"));
  again.addEventListener("click", open);
  const text = make("p", {}, make("strong", {}, word("lost.title")), ` ${word("lost.text")}`);
  place.replaceChildren(make("div", { class: "banner bad" }, text, make("div", { class: "acts" }, again)));
}

function back(): void {
  tries = 0;
  clearTimeout(telling);
  telling = undefined;
  if (!told) return;
  told = false;
  document.getElementById("connection")?.replaceChildren();
  say(word("back"));
}

function lost(): void {
  telling ??= setTimeout(tellLost, PATIENCE);
  // the browser tries again by itself unless the server answered with an error; then it is ours to do
  if (stream?.readyState !== EventSource.CLOSED) return;
  const wait = Math.min(LONGEST_WAIT, 1000 * 2 ** tries++) * (0.5 + Math.random() / 2);
  clearTimeout(retry);
  retry = setTimeout(open, wait);
}

function open(): void {
  stream?.close();
  clearTimeout(retry);
  if (!listening) return;
  const query = new URLSearchParams({ topics: listening, ...(position && { after: position }) });
  stream = new EventSource(`/live?${query}`);
  stream.onopen = back;
  stream.onmessage = hear;
  stream.onerror = lost;
}

/** Open the stream again when the page has come to want other topics. */
function listen(): void {
  clearTimeout(reading);
  reading = setTimeout(() => {
    const topics = wanted();
    if (topics === listening) return;
    listening = topics;
    open();
  }, TOGETHER);
}

export function startLive(): void {
  onContent(listen);
  addEventListener("online", open);
  document.addEventListener("toggle", closed, true);
  document.addEventListener("htmx:beforeSwap", arrives);
  addEventListener("offline", lost);
  addEventListener("pagehide", () => stream?.close());
  addEventListener("pageshow", (event) => event.persisted && open());
}
