// A button that copies what stands in a field. Without this file the field can be selected and copied by hand.
(() => {
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
  document.addEventListener("click", async e => {
    const button = e.target.closest?.("[data-copy]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try { await navigator.clipboard.writeText(field.value); } catch { document.execCommand("copy"); }
    button.querySelector("[data-label]").textContent = button.dataset.copied;
    button.nextElementSibling.textContent = button.dataset.copied;
  });
})();
