// The panes of the inbox: which row is current, which pane shows when there is room for one, toasts, dialogs, picks.
(() => {
  const $ = (s, root = document) => root.querySelector(s);
  let byKeyboard = false;
  addEventListener("keydown", () => { byKeyboard = true; }, true);
  addEventListener("pointerdown", () => { byKeyboard = false; }, true);

  const mark = id => {
    for (const row of document.querySelectorAll(".conv[data-current]")) {
      row.removeAttribute("data-current");
      $(".conv__link", row)?.removeAttribute("aria-current");
    }
    const row = id && (document.getElementById("conv-" + id) ?? document.getElementById("hits-" + id));
    if (!row) return;
    row.setAttribute("data-current", "");
    row.removeAttribute("data-unread");
    $(".conv__link", row)?.setAttribute("aria-current", "true");
  };

  document.addEventListener("click", e => {
    const link = e.target.closest?.(".conv__link");
    if (link && !e.metaKey && !e.ctrlKey && window.htmx) {
      mark(link.closest(".conv").id.slice(5));
      const shell = $(".shell--inbox");
      if (shell) shell.dataset.pane = "thread";
    }
    const back = e.target.closest?.(".thread-back");
    if (back && $("#convs") && window.htmx) {
      e.preventDefault();
      $(".shell--inbox").dataset.pane = "list";
      history.pushState(null, "", back.href);
      $(".conv[data-current] .conv__link")?.focus({ preventScroll: true });
    }
    if (e.target.closest?.("[data-dismiss]")) e.target.closest(".toast").remove();
    const opener = e.target.closest?.("[data-dialog]");
    if (opener && !e.metaKey && !e.ctrlKey) { e.preventDefault(); openDialog(opener); }
    if (e.target.closest?.("dialog [data-close]")) { e.preventDefault(); e.target.closest("dialog").close(); }
  });

  const openDialog = async opener => {
    const dialog = $("#dialog");
    try {
      const answer = await fetch(opener.href, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } });
      if (!answer.ok) throw new Error(answer.status);
      dialog.innerHTML = await answer.text();
      dialog.showModal();
      if (dialog.querySelector("[data-live]")) { window.htmx?.process(dialog); document.dispatchEvent(new Event("live-is-shown")); }
    } catch { location.href = opener.href; }
  };

  // Whoever reads the newest message keeps the newest in view; whoever reads further up is left alone.
  document.addEventListener("htmx:before:swap", e => {
    const pane = $("#thread-scroll"), ctx = e.detail?.ctx;
    if (pane && ctx?.target?.id === "messages") ctx.atEnd = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 120;
  });
  document.addEventListener("htmx:after:swap", e => {
    const pane = $("#thread-scroll");
    if (pane && e.detail?.ctx?.atEnd) pane.scrollTop = pane.scrollHeight;
  });

  // A menu whose field was refused opens again: the reason stands there.
  const openRefused = () => {
    const field = $("#thread [popover] [aria-invalid=true]");
    if (field) $(`[popovertarget=${field.closest("[popover]").id}]`).click();      // beside its button
    field?.focus();
    return Boolean(field);
  };

  document.addEventListener("htmx:after:swap", e => {
    const thread = $("#thread");
    if (!thread || e.detail?.ctx?.target !== thread) return;
    const link = $(".subject[data-live]", thread);
    mark(link?.dataset.live.split("-")[1]);
    const scroll = $("#thread-scroll");
    if (scroll) scroll.scrollTop = scroll.scrollHeight;
    if (openRefused()) return;
    if (!byKeyboard || $("#composer textarea")?.matches(":focus")) return;
    const closed = e.detail.ctx.request?.action?.endsWith("/close");
    const next = closed && $(".conv[data-current]")?.nextElementSibling?.querySelector(".conv__link");
    (next || $("#subj"))?.focus({ preventScroll: true });
  });

  const scroll = $("#thread-scroll");
  if (scroll) scroll.scrollTop = scroll.scrollHeight;
  openRefused();
  $(".conv[data-current]")?.scrollIntoView({ block: "nearest" });

  // Toasts leave after 8 s unless somebody is on them; failures stay.
  new MutationObserver(changes => {
    for (const change of changes) for (const toast of change.addedNodes) {
      if (toast.nodeType !== 1 || toast.hasAttribute("data-sticky")) continue;
      // What was done last can be taken back here; what came before, in the history.
      if (toast.hasAttribute("data-act")) for (const old of document.querySelectorAll(".toast[data-act]")) if (old !== toast) old.remove();
      const leave = () => toast.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : toast.remove();
      setTimeout(leave, 8000);
    }
  }).observe($("#toasts"), { childList: true });

  document.addEventListener("htmx:after:request", e => {
    e.detail?.ctx?.sourceElement?.closest?.(".toast[data-act]")?.remove();
  });

  const say = (text, again) => {
    const words = $("#words").dataset;
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.dataset.sticky = "";
    const span = document.createElement("span");
    span.textContent = text;
    const button = document.createElement("button");
    button.className = "btn";
    button.type = "button";
    button.textContent = again ? words.again : words.dismiss;
    button.addEventListener("click", () => { toast.remove(); again?.(); });
    toast.append(span, button);
    $("#toasts").replaceChildren(toast);
    return toast;
  };
  document.addEventListener("htmx:error", () => { if (!$("#toasts .toast")) say($("#words").dataset.offline, () => location.reload()); });

  document.addEventListener("change", () => {
    const count = document.querySelectorAll(".convs .check:checked").length;
    for (const place of document.querySelectorAll("[data-picked]")) place.textContent = place.dataset.words.replace("#", count);
  });
})();
