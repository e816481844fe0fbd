"""What is looked at on every screen: accessibility by axe, nothing beside the page, nothing spilling out of a box."""

from pathlib import Path

import axe_playwright_python

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
         "resultTypes": ["violations"]}

# Colours change over some milliseconds, and a transition starts a frame after its cause.
STANDS_STILL = """async () => {
  for (let n = 0; n < 2; n++) await new Promise(requestAnimationFrame);
  await Promise.all(document.getAnimations().filter(a => a.effect.getTiming().iterations !== Infinity)
    .map(a => a.finished.catch(() => 0)));
}"""

# An element that shows text must hold it; what scrolls or is cut with an ellipsis on purpose is left out.
SPILLING = """() => {
  const wide = document.documentElement.clientWidth, all = document.scrollingElement.scrollWidth, found = [];
  if (all > wide) found.push(`the document scrolls sideways: ${all} > ${wide}`);
  // What is cut off on purpose is there for screen readers only.
  const clipped = e => e && (getComputedStyle(e).clipPath !== 'none' || clipped(e.parentElement));
  for (const e of document.body.querySelectorAll('*')) {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (!box.width || !box.height || e.closest('.vh, .skip, svg')) continue;
    const name = `${e.tagName.toLowerCase()}.${[...e.classList].join('.')} “${e.textContent.trim().slice(0, 30)}”`;
    if ((box.right > wide + 1 || box.left < -1) && !clipped(e))
      found.push(`${name} sticks out of the window: ${box.left}–${box.right}`);
    // Negative margins let a row's hover bleed into the side on purpose: only what holds words must hold them.
    const words = e.matches('button, input, select, textarea')
      || [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (words && style.overflowX === 'visible' && style.display !== 'inline' && e.clientWidth
        && e.scrollWidth > e.clientWidth + 1 && !clipped(e))
      found.push(`${name} spills: ${e.scrollWidth} > ${e.clientWidth}`);
  }
  return found;
}"""


def spills(page):
    """What sticks out of the window or of its own box, as sentences."""
    return page.evaluate(SPILLING)


def axe(page):
    """axe's findings, as sentences. By page.evaluate: a strict CSP stops script tags, not this."""
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(AXE)
    page.evaluate(STANDS_STILL)
    found = page.evaluate("options => axe.run(document, {...options, iframes: false}).then(r => r.violations)", RULES)
    return [f"{v['id']} ({v['impact']}): {v['help']} {[n['html'][:160] for n in v['nodes'][:3]]}"
            f" {v['nodes'][0].get('failureSummary', '')[:300]}" for v in found]
