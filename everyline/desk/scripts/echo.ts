/** The page on which the phone is tried: which microphone and speaker, how loud both are, and hearing oneself. */

import { toast } from "../../ground/scripts/toast";
import { word } from "../../ground/scripts/words";
import { chooseSpeaker, remember, remembered, turn } from "./softphone";

interface Phone {
  state: string;
  own?: MediaStream;
  heard?: MediaStream | null;
}

const BEAT = 100; // ms

let audio: AudioContext | undefined;
const meters = new Map<string, () => void>();

function find<T extends HTMLElement>(name: string): T | null {
  return document.querySelector<T>(`[data-phone-${name}]`);
}

/** Show how loud a stream is. */
function measure(name: string, stream: MediaStream | null | undefined): void {
  meters.get(name)?.();
  meters.delete(name);
  const meter = find<HTMLMeterElement>(name);
  if (!meter || !stream?.getAudioTracks().length) return;
  audio ??= new AudioContext();
  void audio.resume();
  const source = audio.createMediaStreamSource(stream);
  const analyser = new AnalyserNode(audio, { fftSize: 8192 });
  source.connect(analyser);
  const wave = new Float32Array(analyser.fftSize);
  const clock = setInterval(() => {
    analyser.getFloatTimeDomainData(wave);
    const power = wave.reduce((sum, value) => sum + value * value, 0) / wave.length;
    meter.value = Math.min(1, Math.max(0, 1 + Math.log10(Math.max(power, 1e-6)) / 6));
  }, BEAT);
  meters.set(name, () => {
    clearInterval(clock);
    source.disconnect();
    meter.value = 0;
  });
}

async function listDevices(): Promise<void> {
  const found = await navigator.mediaDevices?.enumerateDevices();
  for (const [name, kind] of [["microphone", "audioinput"], ["speaker", "audiooutput"]] as const) {
    const list = find<HTMLSelectElement>(name);
    if (!list) continue;
    const own = (found ?? []).filter((device) => device.kind === kind && device.deviceId && device.deviceId !== "default");
    list.replaceChildren(list.options[0] ?? "", ...own.map((device, n) => new Option(device.label || word("phone.device", { n: n + 1 }), device.deviceId)));
    list.value = own.some((device) => device.deviceId === remembered(name)) ? remembered(name) : "";
    list.disabled = !own.length;
  }
}

async function hearOneself(button: HTMLElement, on: boolean): Promise<void> {
  const answer = await fetch("/desk/phone/echo", { method: "POST", body: new URLSearchParams({ on: on ? "yes" : "" }), headers: { "HX-Request": "true" } }).catch(() => undefined);
  if (!answer?.ok) return toast({ text: (await answer?.text()) || word("offline"), tone: "bad" });
  button.setAttribute("aria-pressed", String(on));
  const text = [...button.childNodes].find((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
  if (text) text.textContent = word(on ? "phone.stop" : "phone.echo");
}

export function startEcho(): void {
  if (!find("echo")) return;
  const button = find<HTMLButtonElement>("echo") as HTMLButtonElement;
  document.addEventListener("phone", (event) => {
    const { state, own, heard } = (event as CustomEvent<Phone>).detail;
    button.disabled = state !== "ready";
    if (state !== "ready") button.setAttribute("aria-pressed", "false");
    measure("level", own);
    measure("back", state === "ready" ? heard : null);
    void listDevices();
  });
  button.addEventListener("click", () => void hearOneself(button, button.getAttribute("aria-pressed") !== "true"));
  find("microphone")?.addEventListener("change", (event) => {
    remember("microphone", (event.target as HTMLSelectElement).value);
    if (remembered("on")) turn(true);
  });
  find("speaker")?.addEventListener("change", (event) => {
    remember("speaker", (event.target as HTMLSelectElement).value);
    void chooseSpeaker();
  });
  navigator.mediaDevices?.addEventListener("devicechange", () => void listDevices());
  void listDevices();
}
