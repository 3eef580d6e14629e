/** A telephone on the page "try it": this browser's sound, and what can be done with a call.

    Wire: POST /try/telephone (offer, number) answers {name, answer}; POST /try/telephone/NAME/VERB answers {state, reason}. */

type State = "gone" | "ready" | "rings" | "calling" | "talking" | "denied";
interface Answer {
  state: State;
  reason?: string;
  name?: number;
  answer?: string;
}

const LOOK = 700; // ms between two looks how it stands

const box = document.querySelector<HTMLElement>("[data-telephone]");
const speaker = new Audio();
let plugged = 0; // what the network calls this telephone
let looking: ReturnType<typeof setInterval> | undefined;

const part = <T extends HTMLElement>(selector: string): T | null => box?.querySelector<T>(selector) ?? null;

function show({ state, reason }: Answer): void {
  const doing: Record<string, boolean> = {
    "plug in": state === "gone" || state === "denied",
    call: state === "ready",
    take: state === "rings",
    end: state === "rings" || state === "calling" || state === "talking",
  };
  for (const button of box?.querySelectorAll<HTMLElement>("[data-do]") ?? []) button.hidden = !doing[button.dataset["do"] ?? ""];
  const keypad = part("[data-keypad]");
  if (keypad) keypad.hidden = state !== "talking";
  const words = part("[data-telephone-words]");
  const said = `${words?.dataset[state] ?? ""} ${reason ?? ""}`.trim();
  if (words && words.textContent !== said) words.textContent = said;
  if (state === "gone") clearInterval(looking);
}

async function ask(path: string, values: Record<string, string> = {}): Promise<Answer> {
  const answer = await fetch(`/try/telephone${path}`, { method: "POST", body: new URLSearchParams(values) }).catch(() => undefined);
  return answer ? ((await answer.json()) as Answer) : { state: "gone" };
}

async function plugIn(): Promise<void> {
  let own: MediaStream;
  try {
    own = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } });
  } catch {
    return show({ state: "denied" });
  }
  const wire = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  for (const track of own.getAudioTracks()) wire.addTrack(track, own);
  wire.ontrack = ({ streams, track }) => {
    speaker.srcObject = streams[0] ?? new MediaStream([track]);
    void speaker.play().catch(() => undefined);
  };
  await wire.setLocalDescription();
  const number = part<HTMLSelectElement>("[name=number]")?.value ?? "";
  const found = await ask("", { offer: wire.localDescription?.sdp ?? "", number });
  if (!found.name || !found.answer) return show(found);
  await wire.setRemoteDescription({ type: "answer", sdp: found.answer });
  plugged = found.name;
  show(found);
  clearInterval(looking);
  looking = setInterval(async () => show(await ask(`/${plugged}/look`)), LOOK);
}

box?.addEventListener("click", async (event) => {
  const button = (event.target as Element).closest<HTMLElement>("[data-do], [data-key]");
  if (!button) return;
  const wanted = button.dataset["do"];
  if (wanted === "plug in") await plugIn();
  else if (wanted) show(await ask(`/${plugged}/${wanted}`, { to: part<HTMLSelectElement>("[name=line]")?.value ?? "" }));
  else await ask(`/${plugged}/press`, { key: button.dataset["key"] ?? "" });
});
