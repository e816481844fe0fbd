// Loads htmx: from the CDN with its hash, else our own copy. A CDN that is slow or away costs 1.5 s once a session.
(() => {
  const me = document.currentScript.dataset;
  const skip = () => { try { return sessionStorage.getItem("cdn") === "off"; } catch { return false; } };
  const remember = () => { try { sessionStorage.setItem("cdn", "off"); } catch { /* private mode */ } };

  const load = (url, integrity) => new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = url;
    if (integrity) { script.integrity = integrity; script.crossOrigin = "anonymous"; }
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });

  const fromCdn = async () => {
    if (!me.cdn || skip()) throw new Error("no CDN");
    const signal = AbortSignal.timeout(1500);
    await fetch(me.cdn, { integrity: me.sri, mode: "cors", credentials: "omit", signal }).then(r => r.blob());
    await load(me.cdn, me.sri);
  };

  fromCdn().catch(() => { if (me.cdn) remember(); return load(me.local); })
    .then(() => { window.htmx && htmx.process(document.body); document.documentElement.dataset.htmx = "ready"; document.dispatchEvent(new Event("htmx-is-ready")); });
})();
