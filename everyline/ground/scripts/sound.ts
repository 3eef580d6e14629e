/** The sound of an offer: two soft notes, made here, so that nothing is loaded when it counts. */

let audio: AudioContext | undefined;

/** Browsers let a page sound only after somebody touched it: be ready from the first touch on. */
export function startSound(): void {
  const wake = (): void => {
    audio ??= new AudioContext();
    void audio.resume();
  };
  for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, wake, { once: true, capture: true });
}

export function chime(): void {
  if (!audio || audio.state !== "running" || document.body.dataset["sound"] === "off") return;
  for (const [at, frequency] of [659.25, 880].entries()) {
    const start = audio.currentTime + at * 0.16;
    const tone = new OscillatorNode(audio, { frequency, type: "sine" });
    const volume = new GainNode(audio, { gain: 0 });
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(0.18, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.7);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.75);
  }
}
