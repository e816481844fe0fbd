// Files come by the button, by drop and by paste: sent at once, with progress, kept with the draft. Templates, too.
(() => {
  const form = () => document.querySelector("#composer");
  const token = () => form().querySelector("[name=csrf_token]").value;
  const HEAD = { "HX-Request": "true", "HX-Request-Type": "partial" };

  const show = html => { const place = document.querySelector("#enclosures"); if (place) place.innerHTML = html; };
  const complain = (of, text) => {
    const line = document.createElement("p");
    line.className = "hint hint--danger";
    line.setAttribute("role", "alert");
    line.textContent = text;
    of.querySelector("#enclosures").append(line);
  };
  // What the server says of it; a proxy before it says nothing that people could use.
  const reason = html => new DOMParser().parseFromString(html, "text/html").querySelector(".hint--danger")?.textContent.trim();
  const bar = name => {
    const row = document.createElement("p");
    row.className = "composer__sending xs";
    const label = document.createElement("span");
    label.className = "truncate";
    label.textContent = name;
    const progress = document.createElement("progress");
    progress.className = "progress";
    progress.max = 1;
    progress.value = 0;
    progress.setAttribute("aria-label", name);
    row.append(label, progress);
    return [row, progress];
  };

  // What is being sent up: the message waits for it, and stays when it could not be taken.
  const under = new Set();
  const upload = (of, files, within) => {
    const running = sent(of, files, within).finally(() => under.delete(running));
    under.add(running);
    return running;
  };
  document.addEventListener("submit", async e => {
    if (e.target.id !== "composer" || !under.size || e.submitter?.name === "template") return;
    e.preventDefault();
    e.stopImmediatePropagation();
    if (e.target.hasAttribute("aria-busy")) return;
    e.target.setAttribute("aria-busy", "true");
    const taken = await Promise.all(under);
    e.target.removeAttribute("aria-busy");
    if (e.target.isConnected && taken.every(Boolean)) e.target.requestSubmit(e.submitter);
  }, true);

  const sent = (of, files, within) => new Promise(done => {
    const large = [...files].reduce((sum, f) => sum + f.size, 0) > of.dataset.limit * 1e6;
    if (large) { complain(of, of.dataset.large); return done(null); }
    const data = new FormData(of), names = [...files].map(f => f.name).join(", ");
    data.delete("files");
    data.delete("do");
    if (within) data.set("do", "within");
    for (const file of files) data.append("files", file, file.name);
    const [row, progress] = bar(names);
    of.querySelector("#enclosures").append(row);
    const request = new XMLHttpRequest();      // fetch tells no progress of what is sent
    request.upload.onprogress = e => { if (e.lengthComputable) progress.value = e.loaded / e.total; };
    request.onload = () => {
      row.remove();
      if (request.status === 200) { show(request.responseText); done(document.querySelector("#enclosures")); return; }
      complain(of, request.status === 413 ? reason(request.responseText) ?? of.dataset.large : of.dataset.failed.replace("#", names));
      done(null);
    };
    request.onerror = () => { row.remove(); complain(of, of.dataset.failed.replace("#", names)); done(null); };
    request.open("POST", of.dataset.files);
    request.setRequestHeader("X-CSRFToken", token());
    for (const [name, value] of Object.entries(HEAD)) request.setRequestHeader(name, value);
    request.send(data);
  });
  window.postroomFiles = { upload };

  document.addEventListener("change", async e => {
    if (e.target.id !== "files" || !e.target.files.length) return;
    const files = [...e.target.files];
    e.target.value = "";
    await upload(e.target.form, files);
  });
  const dragged = e => e.dataTransfer?.types?.includes("Files") && form();
  document.addEventListener("dragover", e => { if (dragged(e)) { e.preventDefault(); form().classList.add("is-over"); } });
  document.addEventListener("dragleave", e => { if (!e.relatedTarget) form()?.classList.remove("is-over"); });
  document.addEventListener("drop", e => {
    if (!dragged(e)) return;
    e.preventDefault();
    form().classList.remove("is-over");
    if (e.dataTransfer.files.length) upload(form(), [...e.dataTransfer.files]);
  });
  document.addEventListener("paste", e => {
    const of = e.target.closest?.("#composer"), files = [...(e.clipboardData?.files ?? [])];
    if (!of || !files.length || e.defaultPrevented || e.target.closest(".composer__rich")) return;
    e.preventDefault();
    upload(of, files);
  });

  document.addEventListener("click", async e => {
    const out = e.target.closest?.("[data-take-out], [data-enclose]");
    if (out && form()) {
      e.preventDefault();
      if (out.dataset.enclose) await window.postroomDraft.save(form());
      const body = new URLSearchParams(out.name ? { [out.name]: out.value } : {});
      const answer = await fetch(out.formAction, { method: "POST", body, headers: { ...HEAD, "X-CSRFToken": token() } }).catch(() => null);
      if (answer?.ok) { show(await answer.text()); document.querySelector("#files")?.focus(); }
      else complain(form(), form().dataset.failed.replace("#", out.textContent.trim()));
    }
    const template = e.target.closest?.("[data-template]");
    if (template && form()) {
      e.preventDefault();
      const answer = await fetch(template.dataset.template, { method: "POST", body: new URLSearchParams([...new FormData(form())].filter(([n]) => n !== "files")), headers: { ...HEAD, "X-CSRFToken": token() } }).catch(() => null);
      document.querySelector("#template-menu")?.hidePopover();
      if (answer?.ok) form().dispatchEvent(new CustomEvent("insert-text", { detail: await answer.text() }));
    }
  }, true);
  document.addEventListener("insert-text", e => {
    const area = e.target.querySelector?.("#text");
    if (!area || e.defaultPrevented) return;
    area.focus();
    area.setRangeText(e.detail, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }, true);
})();
