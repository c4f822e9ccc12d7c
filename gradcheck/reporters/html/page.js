"use strict";
(() => {
  const form = document.getElementById("controls");
  const text = document.getElementById("text");
  const which = document.getElementById("which");
  const count = document.getElementById("count");
  const table = document.getElementById("all");
  const rows = table ? [...table.tBodies[0].rows] : [];
  const items = [...document.querySelectorAll("article"), ...rows];
  const said = new Map(items.map((item) => [item, item.textContent.toLowerCase()]));

  function isWanted(item) {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const choice = which.value;
    const hasState = choice === "" || (choice === "surprising" ? item.dataset.state !== "right"
      : item.dataset.word === choice.slice("word:".length));
    return hasState && words.every((word) => said.get(item).includes(word));
  }

  function filter() {
    for (const item of items) item.hidden = !isWanted(item);
    for (const section of document.querySelectorAll("main > section")) {
      const inside = section.querySelectorAll("article");
      if (inside.length) section.hidden = [...inside].every((article) => article.hidden);
    }
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = `${shown} of ${rows.length} results`;
  }

  function key(row, column) {
    const cell = row.cells[column];
    if (cell.dataset.key !== undefined) return Number(cell.dataset.key === "inf" ? Infinity : cell.dataset.key);
    const shown = cell.textContent.trim();
    if (!cell.classList.contains("number")) return shown;
    return shown === "" ? -Infinity : Number(shown.replace("inf", "Infinity"));
  }

  function compare(a, b) {
    if (typeof a === "string") return a.localeCompare(b, "en", { numeric: true });
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return a === b ? 0 : a < b ? -1 : 1;
  }

  function sort(head, column) {
    const isRising = head.getAttribute("aria-sort") !== "ascending";
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", isRising ? "ascending" : "descending");
    const order = rows.map((row, place) => [key(row, column), place, row]);
    order.sort((a, b) => (isRising ? 1 : -1) * compare(a[0], b[0]) || a[1] - b[1]);
    table.tBodies[0].append(...order.map((entry) => entry[2]));
  }

  if (table) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => sort(head, column));
      head.replaceChildren(button);
    });
  }
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  filter();
})();
