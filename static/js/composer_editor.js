// Formatting: an editor of our own around Squire, in place of the text field, which stays for everybody without script.
// What it holds goes into the hidden field; where nothing is formatted, the plain text alone does.
(() => {
  const me = document.currentScript.dataset;
  const load = url => new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
  let libraries = null, editor = null, formOf = null, saved = null;
  const ALLOWED = { ALLOWED_TAGS: "a b strong i em u s del p div br ul ol li blockquote code pre h1 h2 h3 hr img span".split(" "), ALLOWED_ATTR: ["href", "src", "alt"], RETURN_DOM_FRAGMENT: true };
  const PLAIN = /^(?:<\/?(?:div|p|br|span)>|[^<])*$/i;
  const fragment = html => document.importNode(DOMPurify.sanitize(html, ALLOWED), true);

  const textOf = root => {
    const lines = [];
    for (const block of root.children.length ? root.children : [root]) lines.push(block.innerText.replace(/\n$/, ""));
    return lines.join("\n").replace(/\u00a0/g, " ");
  };
  const carry = () => {
    const html = editor.getHTML(), plain = PLAIN.test(html);
    formOf.elements.html.value = plain ? "" : html;
    formOf.elements.text.value = textOf(editor.getRoot());
  };
  const asHtml = text => text.split("\n").map(line => { const div = document.createElement("div"); div.textContent = line; if (!line) div.append(document.createElement("br")); return div.outerHTML; }).join("");

  const tools = () => formOf?.querySelector("#style-tools");
  const press = () => {
    for (const button of tools()?.querySelectorAll("[data-format]") ?? []) {
      const tag = { bold: "B", italic: "I", list: "UL", quote: "BLOCKQUOTE" }[button.dataset.format];
      if (tag) button.setAttribute("aria-pressed", String(editor.hasFormat(tag) || (tag === "B" && editor.hasFormat("STRONG"))));
    }
  };
  const toggle = (tag, on, off) => { if (editor.hasFormat(tag)) editor[off](); else editor[on](); };
  const FORMATS = {
    bold: () => toggle("B", "bold", "removeBold"), italic: () => toggle("I", "italic", "removeItalic"),
    list: () => toggle("UL", "makeUnorderedList", "removeList"),
    quote: () => toggle("BLOCKQUOTE", "increaseQuoteLevel", "decreaseQuoteLevel"), clear: () => editor.removeAllFormatting(),
  };

  const link = () => {
    saved = editor.getSelection();
    const menu = document.querySelector("#link-menu"), field = menu.querySelector("input");
    const here = saved.commonAncestorContainer.parentElement?.closest("a");
    field.value = here?.getAttribute("href") ?? "";
    menu.showPopover();
    field.focus();
  };
  const takeLink = () => {
    const menu = document.querySelector("#link-menu");
    let url = menu.querySelector("input").value.trim();
    menu.hidePopover();
    editor.setSelection(saved);
    if (!url) editor.removeLink();
    else {
      if (!/^(https?:|mailto:|tel:)/i.test(url)) url = url.includes("@") && !url.includes("/") ? `mailto:${url}` : `https://${url}`;
      editor.makeLink(url);
    }
    editor.focus();
  };

  const pictures = files => [...files].filter(f => /^image\/(png|jpeg|gif|webp)$/.test(f.type));
  const insertPictures = async files => {
    for (const file of files) {
      const place = await window.postroomFiles.upload(formOf, [file], true);
      const shown = [...(place?.querySelectorAll("[data-shown]") ?? [])].at(-1)?.dataset.shown;
      if (shown) editor.insertImage(shown, { alt: file.name });
    }
  };

  const begin = async () => {
    const form = document.querySelector("#composer");
    if (!form || form === formOf || form.querySelector(".composer__rich")) return;
    const area = form.elements.text;
    try { await (libraries ??= load(me.purify).then(() => load(me.squire))); } catch { return; }
    if (!form.isConnected || form.querySelector(".composer__rich")) return;
    const wasFocused = document.activeElement === area;
    const rich = document.createElement("div");
    rich.className = "composer__body composer__rich";
    rich.id = "rich";
    for (const [name, value] of Object.entries({ role: "textbox", "aria-multiline": "true", contenteditable: "true", spellcheck: "true" })) rich.setAttribute(name, value);
    for (const name of ["aria-invalid", "aria-describedby", "data-key"]) if (area.hasAttribute(name)) { rich.setAttribute(name, area.getAttribute(name)); area.removeAttribute(name); }
    const label = form.querySelector("label[for=text]");      // it names the editor now
    if (label) { label.removeAttribute("for"); rich.setAttribute("aria-labelledby", label.id); label.addEventListener("click", () => editor.focus()); }
    else { rich.setAttribute("aria-label", me.label); area.removeAttribute("aria-label"); }
    area.before(rich);
    area.hidden = true;
    formOf = form;
    editor = new Squire(rich, { blockTag: "DIV", sanitizeToDOMFragment: fragment, addLinks: true });
    // Until now the text area was what counts; what was typed in it meanwhile is newer than the formatted words.
    const html = form.elements.html, fill = () => editor.setHTML(html.value || asHtml(area.value));
    if (html.disabled && area.value !== area.defaultValue) html.value = "";
    html.disabled = false;
    fill();
    form.addEventListener("restored", fill);
    const own = editor;
    let ready = false;      // what filling it says is nobody's typing
    setTimeout(() => { ready = true; }, 0);
    editor.addEventListener("input", () => { if (own !== editor || !ready) return; carry(); window.postroomDraft.soon(form); });
    editor.addEventListener("pathChange", press);
    editor.addEventListener("select", press);
    rich.addEventListener("paste", e => {
      const found = pictures(e.clipboardData?.files ?? []);
      if (!found.length || e.clipboardData.types.includes("text/html")) return;
      e.preventDefault();
      e.stopImmediatePropagation();
      insertPictures(found);
    }, true);
    form.addEventListener("insert-text", e => { e.preventDefault(); e.stopPropagation(); editor.focus(); editor.insertPlainText(e.detail, false); carry(); window.postroomDraft.soon(form); }, true);
    form.querySelector("[data-style]").hidden = false;
    if (wasFocused || area.hasAttribute("autofocus")) { editor.moveCursorToEnd(); editor.focus(); }
  };

  document.addEventListener("click", e => {
    const style = e.target.closest?.("[data-style]");
    if (style) {
      const open = tools().hidden;
      tools().hidden = !open;
      style.setAttribute("aria-expanded", String(open));
      editor.focus();
    }
    const button = e.target.closest?.("#style-tools [data-format]");
    if (button) { if (button.dataset.format === "link") link(); else { FORMATS[button.dataset.format](); editor.focus(); press(); } }
    if (e.target.closest?.("#link-menu [data-take]")) takeLink();
  });
  document.addEventListener("mousedown", e => { if (e.target.closest?.("#style-tools")) e.preventDefault(); });   // the selection stays
  document.addEventListener("keydown", e => {
    if (e.target.matches?.("#link-menu input") && e.key === "Enter") { e.preventDefault(); takeLink(); }
    if (e.target.id === "rich" && (e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") { e.preventDefault(); e.stopPropagation(); link(); }
  }, true);
  addEventListener("DOMContentLoaded", begin);
  document.addEventListener("htmx:after:swap", begin);
  document.addEventListener("htmx:after:swap", e => { if (!document.contains(formOf)) { formOf = null; begin(); } });
})();
