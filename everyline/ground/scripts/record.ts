/** Words recorded in the browser: <form data-record-form> has a part [data-record] with buttons to start and stop, a time, a level and a
    player; what was recorded is put into the form's file field, so that it goes out as a file that was chosen does. */

import { onContent } from "./dom";

const LONGEST = 300; // seconds
const KINDS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4", "audio/webm"];
const ENDINGS: Readonly<Record<string, string>> = { webm: "webm", ogg: "ogg", mp4: "m4a" };

class Recorder {
  private readonly start: HTMLButtonElement;
  private readonly stop: HTMLButtonElement;
  private readonly time: HTMLElement;
  private readonly level: HTMLMeterElement;
  private readonly said: HTMLElement;
  private readonly heard: HTMLAudioElement;
  private readonly file: HTMLInputElement;
  private going: MediaRecorder | undefined;
  private audio: AudioContext | undefined;
  private timer = 0;

  constructor(private readonly form: HTMLFormElement) {
    this.start = this.part("start");
    this.stop = this.part("stop");
    this.time = this.part("time");
    this.level = this.part("level");
    this.said = this.part("said");
    this.heard = this.part("heard");
    this.file = form.querySelector<HTMLInputElement>("input[type=file]")!;
    form.querySelector<HTMLElement>("[data-record]")!.hidden = false;
    this.start.addEventListener("click", () => void this.begin());
    this.stop.addEventListener("click", () => this.going?.stop());
    this.file.addEventListener("change", () => this.play(this.file.files?.[0]));
    window.addEventListener("pagehide", () => this.release());
  }

  private part<Kind extends HTMLElement>(name: string): Kind {
    return this.form.querySelector<Kind>(`[data-record-${name}]`)!;
  }

  private async begin(): Promise<void> {
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, channelCount: 1 } });
    } catch {
      this.say("refused");
      return;
    }
    const type = KINDS.find((one) => MediaRecorder.isTypeSupported(one)) ?? "";
    const recorder = new MediaRecorder(stream, type ? { mimeType: type, audioBitsPerSecond: 128_000 } : {});
    const parts: Blob[] = [];
    recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
    recorder.addEventListener("stop", () => {
      this.release();
      this.keep(new Blob(parts, { type: recorder.mimeType }));
    });
    this.going = recorder;
    recorder.start(1000);
    this.watch(stream);
    this.shows(true);
    this.say("going");
    this.stop.focus();
  }

  /** Time and level, ten times a second. */
  private watch(stream: MediaStream): void {
    const began = performance.now();
    this.audio = new AudioContext();
    const looks = new AnalyserNode(this.audio, { fftSize: 1024 });
    this.audio.createMediaStreamSource(stream).connect(looks);
    const samples = new Float32Array(looks.fftSize);
    this.timer = window.setInterval(() => {
      const seconds = Math.floor((performance.now() - began) / 1000);
      this.time.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      looks.getFloatTimeDomainData(samples);
      this.level.value = samples.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
      if (seconds >= LONGEST) this.going?.stop();
    }, 100);
  }

  private release(): void {
    window.clearInterval(this.timer);
    this.going?.stream.getTracks().forEach((one) => one.stop());
    this.going = undefined;
    void this.audio?.close();
    this.audio = undefined;
  }

  private keep(blob: Blob): void {
    const kind = blob.type.split(";")[0]?.split("/")[1] ?? "webm";
    const carried = new DataTransfer();
    carried.items.add(new File([blob], `prompt.${ENDINGS[kind] ?? "webm"}`, { type: blob.type }));
    this.file.files = carried.files;
    this.shows(false);
    this.play(this.file.files[0]);
    this.say("done");
    this.start.focus();
  }

  private play(file: File | undefined): void {
    if (this.heard.src) URL.revokeObjectURL(this.heard.src);
    this.heard.hidden = !file;
    if (file) this.heard.src = URL.createObjectURL(file);
    else this.heard.removeAttribute("src");
  }

  private shows(going: boolean): void {
    this.start.hidden = going;
    this.stop.hidden = !going;
    this.level.hidden = !going;
  }

  private say(what: "going" | "done" | "refused"): void {
    this.said.textContent = this.said.getAttribute(`data-words-${what}`);
  }
}

export function startRecorders(): void {
  onContent((root) => {
    if (typeof MediaRecorder === "undefined" || !navigator.mediaDevices) return; // a file can be chosen all the same
    for (const form of root.querySelectorAll<HTMLFormElement>("form[data-record-form]")) new Recorder(form);
  });
}
