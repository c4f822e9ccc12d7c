// What anybody needs who does not see the page, or not its colours: returns a list of mistakes.
(() => {
  const found = [];
  const tell = (rule, element) => found.push(`${rule}: ${element.outerHTML.slice(0, 120)}`);
  const isShown = (element) => element.checkVisibility() && !element.closest("[aria-hidden=true], .hidden, .skip");

  if (!document.documentElement.lang) tell("no language", document.documentElement);
  if (!document.title) tell("no title", document.head);
  if (document.querySelectorAll("main").length !== 1) tell("not one main part", document.body);
  if (document.querySelectorAll("h1").length !== 1) tell("not one first heading", document.body);

  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) tell("a heading skips a level", heading);
    if (!heading.textContent.trim()) tell("an empty heading", heading);
    level = next;
  }

  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  if (new Set(ids).size !== ids.length) tell("an id is given twice", document.body);
  for (const element of document.querySelectorAll("input, select, textarea, output")) {
    if (element.tagName !== "OUTPUT" && !element.labels.length) tell("no label", element);
  }
  for (const element of document.querySelectorAll("a, button, summary")) {
    if (!element.textContent.trim()) tell("no name", element);
  }
  for (const picture of document.querySelectorAll("svg")) {
    const isNamed = picture.getAttribute("role") === "img" && picture.getAttribute("aria-label");
    if (!isNamed && picture.getAttribute("aria-hidden") !== "true") tell("a picture without words", picture);
  }
  for (const table of document.querySelectorAll("table")) {
    if (!table.caption || !table.caption.textContent.trim()) tell("a table without a caption", table);
    if (!table.querySelector("thead th[scope=col]")) tell("a table without headings", table);
    for (const row of table.tBodies[0].rows) if (!row.querySelector("th[scope=row]")) tell("a row without a heading", row);
  }
  for (const box of document.querySelectorAll("body *")) {
    if (!["auto", "scroll"].includes(getComputedStyle(box).overflowX) || ["INPUT", "SELECT"].includes(box.tagName)) continue;
    if (!box.getAttribute("aria-label") && !box.getAttribute("aria-labelledby")) tell("a scrolled part without a name", box);
    if (box.tabIndex !== 0) tell("a part that a keyboard cannot scroll", box);
  }
  for (const element of document.querySelectorAll("[tabindex]")) {
    if (element.tabIndex > 0) tell("an order of its own", element);
  }

  // Contrast of text, as WCAG 2.2 computes it (success criterion 1.4.3).
  const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const parse = (color) => color.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
  function behind(element) {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const told = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !isShown(element)) continue;
    if (["SCRIPT", "STYLE", "OPTION"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const front = parse(element.closest("svg") ? style.fill : style.color);
    const pair = [light(front), light(behind(element))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    const key = `${front} on ${behind(element)}`;
    if (ratio < 4.5 && !told.has(key)) {
      told.add(key);
      tell(`contrast ${ratio.toFixed(2)} of ${key}`, element);
    }
  }
  return found;
})();
