// Single keys, outside fields. A key is an element's data-key: keyboard and button do the same thing.
(() => {
  const $ = (s, root = document) => root.querySelector(s);
  const typing = e => e.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
  const visible = el => el && el.offsetParent !== null;

  const step = by => {
    const links = [...document.querySelectorAll(".conv__link")];
    if (!links.length) return false;
    const here = links.indexOf(document.activeElement.closest?.(".conv__link") ?? $(".conv[data-current] .conv__link"));
    const next = links[Math.max(0, Math.min(links.length - 1, here + by))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
    return true;
  };

  let last = null;      // the row that was picked last; Shift+X picks all from there
  const pick = () => {
    last = document.activeElement.closest?.(".conv");
    last?.querySelector(".check").click();
    return Boolean(last);
  };
  const pickRange = () => {
    const rows = [...document.querySelectorAll(".conv")];
    const [from, to] = [rows.indexOf(last), rows.indexOf(document.activeElement.closest?.(".conv"))].sort((a, b) => a - b);
    if (from < 0) return pick();
    for (const row of rows.slice(from, to + 1)) row.querySelector(".check").checked = true;
    document.dispatchEvent(new Event("change"));
    return true;
  };

  const leave = () => {
    const dialog = $("dialog[open]");
    if (dialog) { dialog.close(); return true; }
    if ($(".convs .check:checked")) { $("#bulk-form").reset(); document.dispatchEvent(new Event("change")); return true; }
    if ($("[popover]:popover-open")) return false;
    const row = $(".conv[data-current] .conv__link");
    const back = $(".thread-back");
    if (visible(back)) { back.click(); return true; }
    if (row) { row.focus(); return true; }
    const way = $("a[data-key=Escape]");
    if (way) { way.click(); return true; }
    return false;
  };

  const act = key => {
    const element = $(`[data-key="${CSS.escape(key)}"]`);
    if (!element) return false;
    if (element.matches("textarea, [contenteditable]")) { element.focus(); return true; }
    if (element.matches("input:not([type=radio], [type=checkbox])")) {
      const drawer = element.closest("[popover]");      // the sidebar, where there is no room for it
      if (drawer && !visible(element)) drawer.showPopover?.();
      element.focus();
      element.select();
      return true;
    }
    const menu = document.getElementById(element.getAttribute("popovertarget"));
    if (menu) element.focus();   // Escape comes back here
    element.click();
    (menu && ($("[aria-current]", menu) ?? $("button, a", menu)))?.focus();
    return true;
  };

  // G and then a letter: the places that the page names in its <template id="places">.
  let going = 0;
  const go = key => {
    const places = $("#places")?.dataset, to = { i: places?.inboxes, m: places?.mailboxes, d: places?.drafts }[key];
    going = 0;
    if (to) location.href = to;
    return Boolean(to);
  };

  const KEYS = {
    g: () => { going = Date.now(); return true; },
    j: () => step(1), ArrowDown: () => document.activeElement.matches?.(".conv__link") && step(1),
    k: () => step(-1), ArrowUp: () => document.activeElement.matches?.(".conv__link") && step(-1),
    o: () => { const l = document.activeElement.closest?.(".conv__link"); l?.click(); return Boolean(l); },
    u: leave, x: pick, X: pickRange, "?": () => { $("#keys")?.showModal(); return Boolean($("#keys")); },
  };

  addEventListener("keydown", e => {
    if (e.isComposing || e.defaultPrevented) return;
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
      const form = e.target.closest?.("#composer, #note-composer");
      if (form) { e.preventDefault(); form.requestSubmit(e.shiftKey ? form.querySelector("[value=close]") : form.querySelector(".send .btn")); }
      return;
    }
    // In a menu the button beside the field is meant, not the first one of the form: that would send at once.
    const beside = e.key === "Enter" && e.target.matches?.(".menu__row input") && e.target.parentElement.querySelector("button");
    if (beside) { e.preventDefault(); beside.click(); return; }
    if (e.key === "Escape") {
      if (typing(e) && e.target.closest("#composer, #note-composer")) { e.target.blur(); return; }
      if (!typing(e) && leave()) e.preventDefault();
      return;
    }
    if (e.key === "z" && (e.ctrlKey || e.metaKey) && !typing(e)) {
      const undo = $(".toast[data-act] [data-undo]");
      if (undo) { e.preventDefault(); undo.click(); }
      return;
    }
    if (e.key === "k" && (e.ctrlKey || e.metaKey) && !e.shiftKey && !e.altKey && !typing(e)) {
      if (act("/")) e.preventDefault();
      return;
    }
    if (typing(e) || e.ctrlKey || e.metaKey || e.altKey || $("dialog[open]") || document.body.dataset.keys === "off") return;
    if (Date.now() - going < 1500) { if (go(e.key)) e.preventDefault(); return; }
    if ((KEYS[e.key] ?? (() => act(e.key)))()) e.preventDefault();
  });
})();
