// Drafts: saved one second after the last key, quietly. Typed text survives a page that is left too early.
(() => {
  let timer = 0, running = Promise.resolve();

  const save = async form => {
    const token = form.querySelector("[name=csrf_token]").value;
    const text = form.querySelector("textarea").value;
    try {
      const answer = await fetch(form.dataset.draft, {
        method: "POST", body: new URLSearchParams({ text }), keepalive: text.length < 50000,
        headers: { "X-CSRFToken": token, "HX-Request": "true", "HX-Request-Type": "partial" },
      });
      const place = form.querySelector("#saved");
      if (answer.ok && place) place.textContent = (await answer.text()).trim();
    } catch { /* offline: the text stays in the field */ }
  };

  document.addEventListener("input", e => {
    const form = e.target.closest?.("#composer");
    if (!form) return;
    form.dataset.dirty = "1";
    clearTimeout(timer);
    timer = setTimeout(() => { delete form.dataset.dirty; running = running.then(() => save(form)); }, 1000);
  });
  document.addEventListener("submit", e => { if (e.target.id === "composer") { clearTimeout(timer); delete e.target.dataset.dirty; } }, true);
  const flush = () => {
    const form = document.querySelector("#composer[data-dirty]");
    if (form) { clearTimeout(timer); delete form.dataset.dirty; save(form); }
  };
  // Assigning or closing draws the thread anew; what is being typed must not notice.
  document.addEventListener("htmx:before:swap", e => {
    const ctx = e.detail?.ctx, form = document.querySelector("#composer");
    const own = ctx?.sourceElement?.id === "composer" || ctx?.sourceElement?.querySelector?.("[data-undo]");
    if (form && ctx?.target?.id === "thread" && !own) ctx.typed = [form.dataset.draft, form.querySelector("textarea").value];
  });
  document.addEventListener("htmx:after:swap", e => {
    const [draft, text] = e.detail?.ctx?.typed ?? [], form = document.querySelector("#composer");
    if (text && form?.dataset.draft === draft) form.querySelector("textarea").value = text;
  });
  addEventListener("pagehide", flush);
  document.addEventListener("htmx:before:request", flush);
})();
