// "Reply due in 24 min" stays true while the page is open. Without this file it is as true as when it was drawn.
(() => {
  const MINUTE = 60000, HOUR = 60 * MINUTE;

  const tell = time => {
    const left = new Date(time.dateTime) - Date.now(), span = Math.abs(left), says = time.dataset;
    time.classList.toggle("danger", left < 0);
    time.classList.toggle("warn", left >= 0 && left <= HOUR);
    if (span >= 48 * HOUR) return;       // days: the server's words will do
    const [size, unit] = span < 1.5 * HOUR ? [MINUTE, says.minutes] : [HOUR, says.hours];
    const text = (left < 0 ? says.over : says.in).replace("#", unit.replace("#", Math.max(1, Math.floor(span / size))));
    const place = time.querySelector("span");
    if (place.textContent !== text) place.textContent = text;
  };

  setInterval(() => document.querySelectorAll("[data-due]").forEach(tell), 15000);
})();
