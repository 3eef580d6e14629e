/** The phone in this browser. Turned on once, remembered here, connected by itself on every page; one tab of a browser has it at a time.

    Wire: GET /desk/phone/relays gives RTCIceServers; POST /desk/phone (offer: a session description) answers with one. We send no candidates: the server is where we can reach it, and
    learns from our checks where we are. What is heard and what becomes of calls is the server's to say; this only carries sound.

    [data-phone-state]        gets the state: off, asking, connecting, ready, lost, denied, none, tab, elsewhere, unable
    [data-phone-words]        … in words; where [data-phone-number] is, calls reach a telephone and words stay
    [data-phone-switch]       turns it on and off; [data-phone-take] takes it back from another browser */

import { onContent } from "../../ground/scripts/dom";
import { toast } from "../../ground/scripts/toast";
import { word } from "../../ground/scripts/words";

type State = "off" | "asking" | "connecting" | "ready" | "lost" | "denied" | "none" | "tab" | "elsewhere" | "unable";

const ON = "everyline.phone"; // in the browser's storage: whether it is on, and which devices
const QUIET = 6000; // ms without sound from the server after which the way is looked for anew
const LOOK = 2000;
const LONGEST = 15_000;

let state: State = "off";
let refusal = "";
let pc: RTCPeerConnection | undefined;
let own: MediaStream | undefined;
let letGo: (() => void) | undefined; // of the lock that says which tab has the phone
let attempt = 0;
let tries = 0;
let watching: ReturnType<typeof setInterval> | undefined;
let again: ReturnType<typeof setTimeout> | undefined;
const speaker = new Audio();
speaker.autoplay = true;

export const remembered = (name: string): string => localStorage.getItem(`${ON}.${name}`) ?? "";

export function remember(name: string, value: string): void {
  localStorage.setItem(`${ON}.${name}`, value);
}

function show(root: ParentNode = document): void {
  const words = refusal && state === "lost" ? refusal : word(`phone.${state}`);
  for (const shown of root.querySelectorAll<HTMLElement>("[data-phone-state]")) {
    shown.dataset["phoneState"] = state;
    if (!shown.dataset["phoneNumber"]) shown.title = words;
  }
  for (const shown of root.querySelectorAll<HTMLElement>("[data-phone-words]")) {
    if (!shown.closest("[data-phone-number]") && shown.textContent !== words) shown.textContent = words;
  }
  for (const choice of root.querySelectorAll<HTMLInputElement>("[data-phone-switch]")) {
    choice.disabled = false;
    choice.checked = remembered("on") === "yes";
  }
  for (const shown of root.querySelectorAll<HTMLElement>("[data-phone-again]")) shown.hidden = state !== "elsewhere";
}

function become(next: State): void {
  state = next;
  show();
  document.dispatchEvent(new CustomEvent("phone", { detail: { state, own, heard: speaker.srcObject } }));
}

async function microphone(): Promise<MediaStream> {
  const wanted = remembered("microphone");
  const sound = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: wanted ? { ...sound, deviceId: { exact: wanted } } : sound });
  } catch (error) {
    if (!wanted || (error as DOMException).name === "NotAllowedError") throw error;
    return navigator.mediaDevices.getUserMedia({ audio: sound }); // the one that was chosen is not plugged in
  }
}

export async function chooseSpeaker(): Promise<void> {
  const wanted = remembered("speaker");
  try {
    await (speaker as HTMLAudioElement & { setSinkId?: (id: string) => Promise<void> }).setSinkId?.(wanted);
  } catch {
    remember("speaker", ""); // it is not plugged in any more
  }
}

function drop(): void {
  clearInterval(watching);
  if (pc) {
    pc.onconnectionstatechange = null;
    pc.close();
  }
  pc = undefined;
}

function rest(): void {
  attempt += 1;
  clearTimeout(again);
  drop();
  for (const track of own?.getTracks() ?? []) track.stop();
  own = undefined;
  letGo?.();
  letGo = undefined;
}

function lost(mine: number): void {
  if (mine !== attempt) return;
  drop();
  become("lost");
  again = setTimeout(() => void connect(mine), Math.min(LONGEST, 500 * 2 ** tries++));
}

/** The server let go of us: another browser has the phone now, until it is left there or taken back here; or the server ends. */
async function left(mine: number): Promise<void> {
  if (mine !== attempt) return;
  drop();
  const answer = await fetch("/desk/phone/elsewhere").catch(() => undefined);
  const elsewhere = answer?.ok === true && (await answer.text()) === "yes";
  if (mine !== attempt) return;
  if (!elsewhere) return lost(mine);
  become("elsewhere");
  again = setTimeout(() => void left(mine), LONGEST);
}

function watch(mine: number, on: RTCPeerConnection): void {
  let came = 0;
  let last = Date.now();
  clearInterval(watching);
  watching = setInterval(async () => {
    if (mine !== attempt || on !== pc) return;
    for (const one of (await on.getStats()).values() as Iterable<{ type: string; packetsReceived?: number }>) {
      if (one.type !== "inbound-rtp" || (one.packetsReceived ?? 0) <= came) continue;
      came = one.packetsReceived ?? 0;
      last = Date.now();
    }
    if (Date.now() - last > QUIET && on === pc) lost(mine);
  }, LOOK);
}

/** Relays that the server knows, for where no other way leads to it; none when it cannot be asked: then the other ways are tried. */
async function relays(): Promise<RTCIceServer[]> {
  try {
    const answer = await fetch("/desk/phone/relays");
    return answer.ok ? ((await answer.json()) as RTCIceServer[]) : [];
  } catch {
    return [];
  }
}

async function connect(mine: number): Promise<void> {
  try {
    if (!own?.getAudioTracks().some((track) => track.readyState === "live")) {
      become("asking");
      own = await microphone();
    }
  } catch (error) {
    if (mine !== attempt) return;
    rest();
    return become((error as DOMException).name === "NotAllowedError" ? "denied" : "none");
  }
  if (mine !== attempt) return rest();
  become("connecting");
  const iceServers = await relays();
  if (mine !== attempt) return rest();
  const made = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers });
  pc = made;
  for (const track of own.getAudioTracks()) {
    made.addTrack(track, own);
    track.onended = () => lost(mine); // it was unplugged
  }
  made.ontrack = ({ streams, track }) => {
    speaker.srcObject = streams[0] ?? new MediaStream([track]);
    void speaker.play().catch(() => undefined);
  };
  made.onconnectionstatechange = () => {
    if (made !== pc || mine !== attempt) return;
    if (made.connectionState === "connected") {
      tries = 0;
      refusal = "";
      become("ready");
    } else if (made.connectionState === "failed") lost(mine);
  };
  try {
    await made.setLocalDescription();
    const offer = new URLSearchParams({ offer: made.localDescription?.sdp ?? "" });
    const answer = await fetch("/desk/phone", { method: "POST", body: offer, headers: { "HX-Request": "true" } });
    const said = await answer.text();
    if (!answer.ok) throw new Error(answer.status < 500 ? said : "");
    if (made !== pc || mine !== attempt) return;
    await made.setRemoteDescription({ type: "answer", sdp: said });
    const way = made.getSenders()[0]?.transport;
    if (way) way.onstatechange = () => made === pc && way.state === "closed" && void left(mine);
    watch(mine, made);
  } catch (error) {
    refusal = (error as Error).message;
    if (made === pc) lost(mine);
  }
}

function begin(): void {
  rest();
  if (!navigator.mediaDevices || !window.RTCPeerConnection || !navigator.locks) return become("unable");
  tries = 0;
  const mine = attempt;
  become("tab");
  void navigator.locks.request("everyline.phone", () => {
    if (mine !== attempt) return;
    void chooseSpeaker();
    void connect(mine);
    return new Promise<void>((resolve) => (letGo = resolve));
  });
}

export function turn(on: boolean): void {
  remember("on", on ? "yes" : "");
  if (on) return begin();
  const had = state === "ready";
  rest();
  become("off");
  if (had) void fetch("/desk/phone/off", { method: "POST", headers: { "HX-Request": "true" } }).catch(() => toast({ text: word("offline"), tone: "bad" }));
}

export function startPhone(): void {
  onContent((root) => show(root));
  document.addEventListener("change", (event) => {
    const choice = event.target as HTMLInputElement;
    if (choice.matches("[data-phone-switch]")) turn(choice.checked);
  });
  document.addEventListener("click", (event) => {
    if ((event.target as Element).closest("[data-phone-take]")) begin();
  });
  addEventListener("storage", ({ key, newValue }) => {
    if (key === `${ON}.on`) newValue ? begin() : (rest(), become("off"));
  });
  addEventListener("pagehide", () => {
    rest();
    state = "off";
  });
  addEventListener("pageshow", (event) => event.persisted && remembered("on") && begin());
  if (remembered("on")) begin();
}
