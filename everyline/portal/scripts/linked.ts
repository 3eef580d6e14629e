/** A linked video whose player is allowed: a button in its place begins it, and nothing is loaded from there before. */

import { all, make, onContent } from "../../ground/scripts/dom";

onContent((root) => {
  for (const figure of all<HTMLElement>(root, "[data-player]")) {
    const link = figure.querySelector("a"), caption = figure.querySelector("figcaption"), { player, play } = figure.dataset;
    if (!link || !caption || !player) continue;
    delete figure.dataset["player"];
    const title = link.textContent ?? "";
    const button = make("button", { type: "button", class: "poster", "aria-label": `${play}: ${title}` }, make("span", { "aria-hidden": "true" }, title));
    button.addEventListener("click", () => {
      const frame = make("iframe", { src: player, title, allow: "fullscreen; encrypted-media; picture-in-picture", referrerpolicy: "strict-origin-when-cross-origin" });
      button.replaceWith(frame);
      frame.focus();
    });
    figure.prepend(button);
    link.className = "";
    caption.prepend(make("b", {}, link), make("br"));
  }
});
