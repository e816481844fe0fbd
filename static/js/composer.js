// Drafts: saved one second after the last key, quietly. Typed text survives a page that is left too early.
(() => {
  let timer = 0, running = Promise.resolve();
  const KEPT = ["text", "html", "to", "cc", "bcc", "subject"];
  const here = () => document.querySelector("#composer");

  const said = form => { const data = new FormData(form); data.delete("files"); data.delete("csrf_token"); return data; };
  // "Draft saved", and beside it the way to be rid of it: drawn once, so that it can be pressed meanwhile.
  const told = (form, answer) => {
    const place = form.querySelector("#saved"), discard = document.querySelector("#discard");
    place.textContent = answer.querySelector("[data-said]")?.textContent ?? "";
    const fresh = answer.querySelector(".composer__discard");
    if (!discard || Boolean(fresh) === Boolean(discard.firstElementChild)) return;
    discard.replaceChildren(...(fresh ? [document.adoptNode(fresh)] : []));
    window.htmx?.process(discard);
  };
  const save = async form => {
    const token = form.querySelector("[name=csrf_token]").value, body = new URLSearchParams(said(form));
    try {
      const answer = await fetch(form.dataset.draft, {
        method: "POST", body, keepalive: body.toString().length < 50000,
        headers: { "X-CSRFToken": token, "HX-Request": "true", "HX-Request-Type": "partial" },
      });
      if (answer.ok && form.isConnected) told(form, new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { /* offline: the text stays in the field */ }
  };
  const soon = form => {
    form.dataset.dirty = "1";
    clearTimeout(timer);
    timer = setTimeout(() => { delete form.dataset.dirty; running = running.then(() => save(form)); }, 1000);
  };
  // For what else changes a draft: files and templates.
  window.postroomDraft = { save: form => { clearTimeout(timer); delete form.dataset.dirty; return (running = running.then(() => save(form))); }, soon };

  const changed = e => {
    const form = e.target.closest?.("#composer");
    if (form && e.target.type !== "file") soon(form);
  };
  document.addEventListener("input", changed);
  document.addEventListener("change", changed);
  // What is sent, and what is thrown away, is not saved once more.
  document.addEventListener("submit", e => {
    const form = here();
    if (form && e.target.matches("#composer, .composer__discard")) { clearTimeout(timer); delete form.dataset.dirty; }
  }, true);
  const flush = () => {
    const form = document.querySelector("#composer[data-dirty]");
    if (form) { clearTimeout(timer); delete form.dataset.dirty; save(form); }
  };
  // Without the editor (it is not there yet) the text area is what counts, and only when it was touched.
  const typed = (form, names) => {
    const values = Object.fromEntries(names.map(n => [n, form.elements[n]?.value ?? ""])), area = form.elements.text;
    if (!form.elements.html.disabled) return values;
    delete values.html;
    if (area.value === area.defaultValue) delete values.text; else values.html = "";
    return values;
  };
  // Assigning or closing draws the thread anew; what is being typed must not notice.
  document.addEventListener("htmx:before:swap", e => {
    const ctx = e.detail?.ctx, form = here();
    const own = ctx?.sourceElement?.id === "composer" || ctx?.sourceElement?.closest?.(".composer__discard") || ctx?.sourceElement?.querySelector?.("[data-undo]");
    // Another kind of answer: the words stay, the people are others.
    const kept = ctx?.target?.id === "composer-place" ? ["text", "html"] : KEPT;
    if (form && (ctx?.target?.id === "thread" || kept !== KEPT) && !own)
      ctx.typed = [form.dataset.draft, typed(form, kept)];
  });
  document.addEventListener("htmx:after:swap", e => {
    const [draft, values] = e.detail?.ctx?.typed ?? [], form = here();
    if (!values || form?.dataset.draft !== draft) return;
    for (const name in values) if (values[name] && form.elements[name]) form.elements[name].value = values[name];
    if ("html" in values && values.text) Object.assign(form.elements.html, { value: values.html, disabled: false });
    form.dispatchEvent(new Event("restored"));
  });
  addEventListener("pagehide", flush);
  document.addEventListener("htmx:before:request", flush);
  // Of a new message the page is left when it was sent: a second click does nothing.
  document.addEventListener("submit", e => {
    if (e.target.id !== "composer" || e.target.hasAttribute("hx-post") || e.defaultPrevented) return;
    if (e.target.dataset.sending) e.preventDefault();
    else if (!e.submitter?.formAction?.includes("/templates/")) e.target.dataset.sending = "1";
  });
  addEventListener("pageshow", () => { const form = here(); if (form) delete form.dataset.sending; });
})();
