/** The chat widget: one script tag on any page, one element in a shadow root. */

import { Chat } from "./chat";

const script = document.currentScript as HTMLScriptElement | null;

if (script && !customElements.get("everyline-chat")) {
  customElements.define("everyline-chat", Chat);
  const begin = () => {
    const chat = document.createElement("everyline-chat") as Chat;
    chat.begin(script.src.replace(/widget\.js(?:\?.*)?$/, ""), {
      language: script.dataset["language"] ?? (document.documentElement.lang || navigator.language),
      identity: script.dataset["identity"] ?? "",
      open: "open" in script.dataset,
    });
    document.body.append(chat);
  };
  if (document.body) begin();
  else addEventListener("DOMContentLoaded", begin, { once: true });
}
