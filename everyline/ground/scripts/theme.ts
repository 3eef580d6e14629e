/** Light, dark or as the system: the form of the menu works at once here, and by a post without scripts. */

export function startTheme(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    const chosen = (event.submitter as HTMLButtonElement | null)?.value;
    if (!form.matches("[data-theme-form]") || !chosen) return;
    event.preventDefault();
    const named = chosen === "light" || chosen === "dark";
    if (named) document.documentElement.dataset["theme"] = chosen;
    else delete document.documentElement.dataset["theme"];
    document.cookie = `theme=${named ? chosen : ""}; path=/; max-age=${named ? 31536000 : 0}; samesite=lax`;
    void fetch(form.action, { method: "POST", body: new URLSearchParams({ theme: chosen }), headers: { "HX-Request": "true" } }); // for their other browsers
    for (const item of form.querySelectorAll("[name=theme]")) {
      item.setAttribute("aria-checked", String(item.getAttribute("value") === chosen));
    }
  });
}
