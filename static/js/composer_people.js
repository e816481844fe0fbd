// While a recipient or an @ is typed: who may be meant. Arrows choose, Enter or Tab takes, Escape closes.
(() => {
  let timer = 0, list = null, field = null, asked = 0;

  const close = () => { list?.remove(); list = null; field?.removeAttribute("aria-activedescendant"); field?.setAttribute("aria-expanded", "false"); };
  const options = () => [...(list?.querySelectorAll("[role=option]") ?? [])];
  const current = () => options().find(o => o.getAttribute("aria-selected") === "true");
  const choose = option => {
    for (const each of options()) each.setAttribute("aria-selected", String(each === option));
    if (option) { field.setAttribute("aria-activedescendant", option.id); option.scrollIntoView({ block: "nearest" }); }
  };
  const open = (input, buttons) => {
    close();
    if (!buttons.length) return;
    field = input;
    list = document.createElement("div");
    list.className = "menu complete";
    list.id = "complete";
    list.setAttribute("role", "listbox");
    buttons.forEach((b, i) => { b.id = `complete-${i}`; b.tabIndex = -1; list.append(b); });
    const place = input.closest(".composer__field") ?? input;
    place.after(list);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-controls", "complete");
    input.setAttribute("aria-expanded", "true");
    choose(buttons[0]);
  };

  const person = input => {
    const start = Math.max(input.value.lastIndexOf(","), input.value.lastIndexOf(";")) + 1;
    return [start, input.value.slice(start).trim()];
  };
  const complete = async input => {
    const [, typed] = person(input), mine = ++asked;
    if (typed.length < 2) return close();
    try {
      const answer = await fetch(`${input.dataset.complete}?q=${encodeURIComponent(typed)}`, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } });
      if (!answer.ok || mine !== asked) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (document.activeElement === input) open(input, [...page.querySelectorAll("button")].map(b => document.adoptNode(b)));
    } catch { close(); }
  };
  const handle = area => {
    const before = area.value.slice(0, area.selectionStart), at = before.lastIndexOf("@");
    const typed = at < 0 || /\S/.test(before[at - 1] ?? " ") ? null : before.slice(at + 1).toLowerCase();
    if (typed === null || typed.includes("\n") || typed.length > 40) return close();
    // One offer for each: by the first name alone, which comes first, where that is enough.
    const fitting = [...document.getElementById(area.dataset.handles).options].filter(o => o.value.toLowerCase().startsWith(typed));
    const found = [...new Map(fitting.reverse().map(o => [o.dataset.who, o.value])).values()].reverse().slice(0, 8);
    open(area, found.map(name => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("role", "option");
      button.dataset.value = name;
      button.textContent = "@" + name;
      return button;
    }));
  };
  const take = option => {
    const value = option.dataset.value;
    if (field.dataset.handles) {
      const end = field.selectionStart, at = field.value.slice(0, end).lastIndexOf("@");
      field.setRangeText(`@${value} `, at, end, "end");
    } else {
      const [start] = person(field);
      field.value = `${field.value.slice(0, start)}${start ? " " : ""}${value}, `;
    }
    const input = field;
    close();
    input.focus();
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };

  document.addEventListener("input", e => {
    if (e.target.dataset?.complete) { clearTimeout(timer); timer = setTimeout(() => complete(e.target), 150); }
    if (e.target.dataset?.handles) handle(e.target);
  });
  document.addEventListener("pointerdown", e => {
    const option = e.target.closest?.("#complete [role=option]");
    if (option) { e.preventDefault(); take(option); }
  });
  document.addEventListener("focusout", e => { if (e.target === field) setTimeout(() => { if (document.activeElement !== field) close(); }, 100); });
  document.addEventListener("keydown", e => {
    if (!list || e.target !== field || e.isComposing) return;
    const all = options(), at = all.indexOf(current());
    if (e.key === "ArrowDown" || e.key === "ArrowUp") choose(all[(at + (e.key === "ArrowDown" ? 1 : all.length - 1)) % all.length]);
    else if ((e.key === "Enter" && !e.ctrlKey && !e.metaKey) || e.key === "Tab") take(current());
    else if (e.key === "Escape") close();
    else return;
    e.preventDefault();
    e.stopPropagation();
  }, true);
})();
