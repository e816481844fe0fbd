// Frames of mail get the height of what is in them. No script runs in there: we look in from here.
(() => {
  const FRAMES = "iframe.sheet__frame", LEAST = 40, MOST = 30000, SMALLEST = 0.5, TIMES = 40;
  // A picture named like a property of its document hides that property; the prototype's own getters cannot be hidden.
  const getter = (of, name) => Object.getOwnPropertyDescriptor(of.prototype, name).get;
  const rootOf = getter(Document, "documentElement"), bodyOf = getter(Document, "body");
  const watched = new WeakMap();

  const root = frame => {
    try { return frame.contentDocument && rootOf.call(frame.contentDocument); } catch { return null; }
  };

  const fit = frame => {
    const page = root(frame), body = page && bodyOf.call(frame.contentDocument);
    if (!body || frame.contentDocument.URL === "about:blank" || !frame.clientWidth) return;
    // What cannot be made narrower is made smaller, down to half; beyond that the frame scrolls.
    body.style.zoom = "";
    const wide = page.scrollWidth, room = page.clientWidth;
    if (wide > room + 1) body.style.zoom = Math.max(SMALLEST, Math.floor(room / wide * 100) / 100);
    const bar = page.scrollWidth > page.clientWidth + 1 ? 16 : 0;
    const tall = Math.ceil(Math.max(page.getBoundingClientRect().height, body.getBoundingClientRect().bottom + frame.contentWindow.scrollY)) + bar;
    const height = Math.min(MOST, Math.max(LEAST, tall || 0)) + "px";
    if (frame.style.height !== height) frame.style.height = height;
  };

  const watch = frame => {
    const page = root(frame);
    if (!page) return;
    fit(frame);
    if (watched.get(frame)?.page === page) return;
    watched.get(frame)?.observer.disconnect();
    // What is as tall as its frame, and a little more, would grow for ever: so many times at a stretch, then it scrolls.
    let due = false, left = TIMES, last = 0;
    const observer = new ResizeObserver(() => {
      const now = performance.now();
      if (now - last > 1000) left = TIMES;
      last = now;
      if (due || left-- <= 0) return;
      due = true;
      requestAnimationFrame(() => { due = false; fit(frame); });
    });
    const body = bodyOf.call(frame.contentDocument);
    if (body) observer.observe(body);      // a picture came, a quote was unfolded; events in there reach nobody
    observer.observe(frame);
    watched.set(frame, { page, observer });
  };

  const all = () => { for (const frame of document.querySelectorAll(FRAMES)) watch(frame); };
  document.addEventListener("load", e => { if (e.target.matches?.(FRAMES)) watch(e.target); }, true);
  document.addEventListener("htmx:after:swap", all);   // the server's guess came back with the markup
  document.addEventListener("htmx:after:settle", all);
  addEventListener("beforeprint", () => {
    for (const frame of document.querySelectorAll(FRAMES)) frame.loading = "eager";
    all();
  });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all); else all();
})();
