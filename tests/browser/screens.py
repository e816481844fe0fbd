"""What is looked at on every screen: accessibility by axe, nothing beside the page, nothing spilling out of a box."""

from pathlib import Path

import axe_playwright_python

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
         "resultTypes": ["violations"]}

# An element that shows text must hold it; what scrolls or is cut with an ellipsis on purpose is left out.
SPILLING = """() => {
  const wide = document.documentElement.clientWidth, found = [];
  if (document.scrollingElement.scrollWidth > wide) found.push(`document: ${document.scrollingElement.scrollWidth} > ${wide}`);
  for (const e of document.body.querySelectorAll('*')) {
    const box = e.getBoundingClientRect();
    if (!box.width || !box.height || e.closest('.vh, .skip, svg') || getComputedStyle(e).clipPath !== 'none') continue;
    const name = `${e.tagName.toLowerCase()}.${[...e.classList].join('.')} “${e.textContent.trim().slice(0, 30)}”`;
    if (box.right > wide + 1 || box.left < -1) found.push(`${name} sticks out of the window: ${box.left}–${box.right}`);
    const style = getComputedStyle(e);
    // Negative margins let a row's hover bleed into the side on purpose: only what holds words must hold them.
    const words = e.matches('button, input, select, textarea') || [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (words && style.overflowX === 'visible' && style.display !== 'inline' && e.scrollWidth > e.clientWidth + 1 && e.clientWidth)
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
    found = page.evaluate("options => axe.run(document, {...options, iframes: false}).then(r => r.violations)", RULES)
    return [f"{v['id']} ({v['impact']}): {v['help']} {[n['html'][:160] for n in v['nodes'][:3]]}"
            f" {v['nodes'][0].get('failureSummary', '')[:300]}" for v in found]
