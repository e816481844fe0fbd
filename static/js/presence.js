// Tells colleagues that one reads or writes here: every fifteen seconds, at once when it changes, and when one leaves.
(() => {
  const EVERY = 15000, WRITING = 20000;
  let typed = 0, said = "", at = "";

  const place = () => document.querySelector("#presence")?.dataset.present ?? "";
  const token = () => document.querySelector("#composer [name=csrf_token], #thread [name=csrf_token]")?.value ?? "";

  const tell = (url, state) => {
    const body = new URLSearchParams({ state, csrf_token: token() });
    if (!url || !body.get("csrf_token")) return;
    fetch(url, { method: "POST", body, keepalive: true }).catch(() => { /* offline: said again soon */ });
  };

  const look = () => {
    const url = place(), state = document.hidden ? "gone" : Date.now() - typed < WRITING ? "writing" : "viewing";
    if (at && at !== url && said !== "gone") tell(at, "gone");
    const news = url !== at || state !== said;
    [at, said] = [url, state];
    return news;
  };

  const speak = always => { if ((look() || always && said !== "gone") && at) tell(at, said); };

  document.addEventListener("input", e => {
    if (!e.target.closest?.("#composer")) return;
    typed = Date.now();
    speak(false);
  });
  document.addEventListener("submit", e => { if (e.target.closest?.("#composer")) { typed = 0; } }, true);
  document.addEventListener("visibilitychange", () => speak(false));
  document.addEventListener("htmx:after:swap", () => setTimeout(() => speak(false), 100));
  addEventListener("pagehide", () => { if (at) tell(at, "gone"); said = "gone"; });
  setInterval(() => speak(true), EVERY);
  setTimeout(() => speak(true), 500);
})();
