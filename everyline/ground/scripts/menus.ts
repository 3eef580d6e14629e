/** Menus are popovers and open without us; this adds the keys of a menu, and its place where CSS cannot anchor it. */

const ANCHORS = CSS.supports("position-area", "block-end");

export function opener(menu: Element): HTMLElement | null {
  return menu.id ? document.querySelector<HTMLElement>(`[popovertarget="${CSS.escape(menu.id)}"]`) : null;
}

function items(menu: Element): HTMLElement[] {
  return [...menu.querySelectorAll<HTMLElement>(".item:not(:disabled)")];
}

function place(menu: HTMLElement): void {
  const button = opener(menu)?.getBoundingClientRect();
  if (!button) return;
  const own = menu.getBoundingClientRect();
  const toEnd = menu.classList.contains("end") === (getComputedStyle(menu).direction === "ltr");
  const left = toEnd ? button.right - own.width : button.left;
  const below = button.bottom + own.height + 8 < innerHeight;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - own.width - 8))}px`;
  menu.style.top = `${below ? button.bottom : Math.max(0, button.top - own.height - 8)}px`;
}

function move(menu: Element, event: KeyboardEvent): void {
  const list = items(menu);
  const at = list.indexOf(document.activeElement as HTMLElement);
  const wanted = {
    ArrowDown: list[(at + 1) % list.length],
    ArrowUp: list[(at - 1 + list.length) % list.length],
    Home: list[0],
    End: list.at(-1),
  }[event.key];
  const typed = event.key.length === 1 && !event.ctrlKey && !event.metaKey && event.key !== " " ? event.key.toLowerCase() : "";
  const named = typed && [...list.slice(at + 1), ...list].find((item) => item.textContent?.trim().toLowerCase().startsWith(typed));
  const next = wanted ?? named;
  if (!next) return;
  event.preventDefault();
  event.stopPropagation();
  next.focus();
}

export function startMenus(): void {
  document.addEventListener(
    "toggle",
    (event) => {
      const menu = event.target as HTMLElement;
      if (!menu.matches?.(".menu[popover]")) return;
      const open = (event as ToggleEvent).newState === "open";
      opener(menu)?.setAttribute("aria-expanded", String(open));
      if (!open) return;
      if (!ANCHORS) place(menu);
      (menu.querySelector<HTMLElement>('[aria-checked="true"]') ?? items(menu)[0])?.focus();
    },
    true, // toggle does not bubble
  );
  document.addEventListener("keydown", (event) => {
    const menu = (event.target as Element).closest?.(".menu:popover-open");
    if (!(menu instanceof HTMLElement)) return;
    if (event.key === "Tab") menu.hidePopover();
    else move(menu, event);
  });
  document.addEventListener("click", (event) => {
    const item = (event.target as Element).closest(".menu .item");
    const menu = item?.closest<HTMLElement>(".menu:popover-open");
    if (menu) setTimeout(() => menu.hidePopover()); // once its form has gone out: what loses the focus before is no longer the button pressed
  });
}
