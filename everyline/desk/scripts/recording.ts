/** The player of a recording: [data-recording] has the browser's own player, which stays where scripts do not run, and [data-player] with a
    waveform that is a slider, a button and speeds. */

import { all, onContent } from "../../ground/scripts/dom";

const STEP = 5; // seconds of an arrow key
const PAGE = 30;

function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, String(whole % 60).padStart(2, "0")];
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

class Player {
  private readonly audio: HTMLAudioElement;
  private readonly wave: HTMLElement;
  private readonly heard: SVGRectElement;
  private readonly time: HTMLElement;
  private readonly button: HTMLButtonElement;
  private readonly seconds: number;
  private wanted = 0; // where to begin, while nothing is loaded yet

  constructor(private readonly root: HTMLElement) {
    this.audio = root.querySelector("audio")!;
    this.wave = root.querySelector<HTMLElement>("[data-wave]")!;
    this.heard = root.querySelector<SVGRectElement>("[data-heard]")!;
    this.time = root.querySelector<HTMLElement>("[data-time]")!;
    this.button = root.querySelector<HTMLButtonElement>("[data-play]")!;
    this.seconds = Number(root.dataset["seconds"]) || 0;
    this.audio.controls = false;
    root.querySelector<HTMLElement>("[data-player]")!.hidden = false;
    this.button.addEventListener("click", () => this.toggle());
    this.wave.addEventListener("keydown", (event) => this.press(event));
    this.wave.addEventListener("pointerdown", (event) => this.point(event));
    this.wave.addEventListener("pointermove", (event) => event.buttons & 1 && this.point(event));
    root.querySelector<HTMLSelectElement>("[data-speed]")!.addEventListener("change", (event) => {
      this.audio.playbackRate = Number((event.target as HTMLSelectElement).value);
    });
    for (const to of all(root, "[data-to]")) to.addEventListener("click", () => this.go(Number(to.dataset["to"])));
    for (const name of ["timeupdate", "seeked", "loadedmetadata", "ended"]) this.audio.addEventListener(name, () => this.show());
    for (const name of ["play", "pause", "ended"]) this.audio.addEventListener(name, () => this.says());
    this.audio.addEventListener("loadedmetadata", () => this.wanted && this.go(this.wanted), { once: true });
    this.audio.addEventListener("error", () => this.failed());
  }

  private toggle(): void {
    if (this.audio.paused) void this.audio.play().catch(() => this.failed());
    else this.audio.pause();
  }

  private failed(): void {
    const said = this.root.querySelector<HTMLElement>("[data-said]")!;
    said.textContent = said.dataset["wordsFailed"] ?? "";
  }

  private get at(): number {
    return this.audio.readyState ? this.audio.currentTime : this.wanted;
  }

  private go(to: number): void {
    const at = Math.min(Math.max(to, 0), this.seconds);
    if (this.audio.readyState) this.audio.currentTime = at;
    else this.wanted = at;
    this.show(at);
  }

  private point(event: PointerEvent): void {
    const box = this.wave.getBoundingClientRect();
    this.go(((event.clientX - box.left) / box.width) * this.seconds);
  }

  private press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const moves: Readonly<Record<string, number>> = {
      ArrowLeft: this.at - STEP,
      ArrowDown: this.at - STEP,
      ArrowRight: this.at + STEP,
      ArrowUp: this.at + STEP,
      PageDown: this.at - PAGE,
      PageUp: this.at + PAGE,
      Home: 0,
      End: this.seconds,
    };
    const to = moves[event.key];
    if (event.key === " ") this.toggle();
    else if (to !== undefined) this.go(to);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private show(at = this.at): void {
    const width = this.heard.ownerSVGElement!.viewBox.baseVal.width;
    this.heard.setAttribute("width", String(this.seconds ? (at / this.seconds) * width : 0));
    this.time.textContent = `${clock(at)} / ${clock(this.seconds)}`;
    this.wave.setAttribute("aria-valuenow", String(Math.round(at)));
    const words = this.wave.dataset["words"] ?? "";
    this.wave.setAttribute("aria-valuetext", words.replace("{at}", clock(at)).replace("{length}", clock(this.seconds)));
  }

  private says(): void {
    const going = !this.audio.paused && !this.audio.ended;
    this.button.setAttribute("aria-label", this.button.dataset[going ? "wordsPause" : "wordsPlay"] ?? "");
    const drawn = this.button.querySelector("use");
    drawn?.setAttribute("href", (drawn.getAttribute("href") ?? "").replace(/#i-\w+$/, going ? "#i-pause" : "#i-play"));
  }
}

export function startRecordings(): void {
  const known = new WeakSet<HTMLElement>(); // one that is preserved arrives again with each refresh
  onContent((root) => {
    for (const one of all(root, "[data-recording]")) {
      if (known.has(one) || !one.querySelector("audio")) continue;
      known.add(one);
      new Player(one);
    }
  });
}
