// Rules are put in order by dragging their grip, or by keys: Enter lifts, arrows move, Enter drops, Escape puts back.
(() => {
  const list = () => document.getElementById("rulelist");
  const rows = () => [...list().querySelectorAll(".rule:not(.rule--last)")];
  const say = text => { document.getElementById("rules-say").textContent = text; };
  const words = (name, n) => list().dataset[name].replace("#", n);
  let lifted = null, from = 0, dragged = false;

  const ready = () => { for (const grip of document.querySelectorAll(".rule__grip[hidden]")) grip.hidden = false; };
  const place = () => rows().indexOf(lifted) + 1;

  const put = to => {
    const others = rows().filter(row => row !== lifted);
    const before = others[to - 1];
    if (before) before.before(lifted); else others.at(-1)?.after(lifted);
    say(words("at", place()));
  };

  const drop = () => {
    const to = place(), form = lifted.querySelector(".rule__move");
    lifted.classList.remove("is-lifted");
    lifted = null;
    if (to === from) return;
    const button = document.createElement("button");
    Object.assign(button, { name: "to", value: to, hidden: true });
    form.append(button);
    form.requestSubmit(button);
  };

  const back = () => {
    put(from);
    lifted.classList.remove("is-lifted");
    lifted = null;
    say(list().dataset.back);
  };

  const lift = grip => {
    lifted = grip.closest(".rule");
    from = place();
    lifted.classList.add("is-lifted");
    say(words("lifted", from));
  };

  document.addEventListener("keydown", e => {
    const grip = e.target.closest?.(".rule__grip");
    if (!grip) return;
    if (e.key === "Enter" || e.key === " ") { e.preventDefault(); if (lifted) drop(); else lift(grip); return; }
    if (!lifted) return;
    if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); back(); grip.focus(); }
    const step = { ArrowUp: -1, ArrowDown: 1 }[e.key];
    if (!step) return;
    e.preventDefault();
    const to = place() + step;
    if (to >= 1 && to <= rows().length) { put(to); grip.focus(); }
  }, true);

  document.addEventListener("focusout", e => {
    if (lifted && !dragged && e.target.matches?.(".rule__grip")) setTimeout(() => { if (lifted && !lifted.contains(document.activeElement)) back(); }, 0);
  });

  document.addEventListener("pointerdown", e => {
    const grip = e.target.closest?.(".rule__grip");
    if (!grip || e.button) return;
    lift(grip);
    dragged = true;
    let moved = false;      // the grip moves with its row, which would end a pointer capture: the document listens
    const move = at => {
      moved = true;
      const over = rows().findIndex(row => row !== lifted && at.clientY < row.getBoundingClientRect().top + row.offsetHeight / 2);
      const others = rows().filter(row => row !== lifted);
      const index = over < 0 ? others.length : others.indexOf(rows()[over]);
      if (index + 1 !== place()) put(index + 1);
    };
    const end = () => {
      document.removeEventListener("pointermove", move);
      document.removeEventListener("pointerup", end);
      document.removeEventListener("pointercancel", end);
      dragged = false;
      if (!lifted) return;
      if (moved) drop(); else { lifted.classList.remove("is-lifted"); lifted = null; }
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", end);
    document.addEventListener("pointercancel", end);
  });

  document.addEventListener("htmx:after:swap", ready);
  ready();
})();
