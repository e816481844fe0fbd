// Hears what changed and tells the page: an event "NAME-changed" on <body>, for which fragments listen.
// One stream a page for all names in [data-live]; where streams do not get through, a poll every 3 s.
(() => {
  const tab = Math.random().toString(36).slice(2);
  const known = new Map();          // name -> version last heard of
  let source = null, names = "", greeted = 0, broken = 0, timer = 0;
  let polling = false;
  try { polling = sessionStorage.getItem("live") === "poll"; } catch { /* private mode */ }

  const wanted = () => [...new Set([...document.querySelectorAll("[data-live]")]
    .flatMap(e => e.dataset.live.split(" ").filter(Boolean)))].sort();

  const query = () => names.split(" ").filter(Boolean)
    .map(n => `on=${encodeURIComponent(n + ":" + (known.get(n) ?? document.documentElement.dataset.since))}`).join("&");

  const tell = (name, version) => {
    if (version >= 0) {
      if (known.get(name) >= version) return;
      known.set(name, version);
    }
    document.body.dispatchEvent(new CustomEvent(name + "-changed", { bubbles: true }));
  };

  const stop = () => { source?.close(); source = null; clearTimeout(timer); };

  const poll = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(`/live/poll?${query()}`, { headers: { Accept: "application/json" } });
      if (answer.status === 200) for (const [n, v] of Object.entries(await answer.json())) tell(n, v);
      if (answer.status === 401 || answer.redirected) return;
    } catch { /* offline: asked again */ }
    timer = setTimeout(poll, 3000);
  };

  // Not for ever: a restart of the server breaks streams too. After two minutes the stream is tried once more.
  const fallBack = () => {
    polling = true;
    setTimeout(() => { polling = false; broken = 2; greeted = 0; listen(); }, 120000);
    try { sessionStorage.setItem("live", "poll"); } catch { /* private mode */ }
    stop();
    poll();
  };

  const listen = () => {
    stop();
    // What is told before htmx listens is told to nobody, and not told again.
    if (!names || document.hidden || document.documentElement.dataset.htmx !== "ready") return;
    if (polling) { poll(); return; }
    source = new EventSource(`/live?tab=${tab}&${query()}`);
    timer = setTimeout(() => { if (!greeted) fallBack(); }, 4000);
    source.addEventListener("hello", () => { greeted += 1; broken = 0; clearTimeout(timer); document.documentElement.dataset.stream = "on"; });
    source.addEventListener("changed", e => { const { name, version } = JSON.parse(e.data); tell(name, version); });
    source.onerror = () => {
      broken += 1;
      if (broken >= 3) { fallBack(); return; }
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(listen, 2000);
    };
  };

  const follow = () => {
    const now = wanted().join(" ");
    if (now !== names) { names = now; listen(); }
  };

  document.addEventListener("visibilitychange", () => document.hidden ? stop() : listen());
  document.addEventListener("htmx:after:swap", () => setTimeout(follow, 50));
  document.addEventListener("live-is-shown", follow);
  document.addEventListener("htmx-is-ready", () => listen());
  addEventListener("pagehide", stop);
  addEventListener("pageshow", e => { if (e.persisted) listen(); });
  follow();
})();
