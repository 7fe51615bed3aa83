/* Sorting, showing more, and copying of the tables on a page. */
(() => {
  "use strict";
  const say = report.say;
  const valueOf = (row, place) => {
    const cell = row.cells[place], given = cell.dataset.sort;
    const text = given === undefined ? cell.textContent.trim() : given;
    const number = Number(text);
    return text !== "" && !Number.isNaN(number) ? number : text;
  };
  const compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b
    : String(a).localeCompare(String(b), undefined, { numeric: true, sensitivity: "base" });
  const isMissing = (value) => value === "" || value === "–";

  /* A text that a spreadsheet would take for a formula is kept as text. */
  const guarded = (text) => /^[=+@\t\r]/.test(text) || /^-[^0-9.,]/.test(text) ? "'" + text : text;

  async function copy(rows, button) {
    const text = rows.map((row) => row.map((cell) => guarded(cell.replace(/\s+/g, " ").trim())).join("\t")).join("\n");
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = say("Copied");
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      button.textContent = document.execCommand("copy") ? say("Copied") : say("Copying is not allowed here");
      area.remove();
    }
    setTimeout(() => { button.textContent = label; }, 2000);
  }

  function show(table) {
    const first = Number(table.dataset.first || 0), more = table.querySelector("[data-more]"), note = table.querySelector("[data-note]");
    const rows = [...table.querySelectorAll("tbody tr")];
    const kept = rows.filter((row) => row.dataset.out !== "yes");
    rows.forEach((row) => { row.hidden = true; });
    const shown = first && more.dataset.all !== "yes" ? kept.slice(0, first) : kept;
    shown.forEach((row) => { row.hidden = false; });
    const cards = table.querySelector("table.cards");
    if (cards && kept.length) cards.setAttribute("role", "table"); else if (cards) cards.removeAttribute("role");
    if (!first) return;
    more.hidden = kept.length <= first;
    more.textContent = more.dataset.all === "yes" ? say("Show the first {n}", { n: first }) : say("Show all {n}", { n: kept.length });
    note.textContent = kept.length === 0 ? table.dataset.kept || say("Nobody in this selection.") : shown.length < kept.length ? say("{n} of {all} are shown.", { n: shown.length, all: kept.length }) : "";
  }

  document.querySelectorAll("[data-table]").forEach((table) => {
    const head = [...table.querySelectorAll("thead th")], body = table.querySelector("tbody");
    head.forEach((th, place) => th.querySelector("button").addEventListener("click", () => {
      const ascending = th.getAttribute("aria-sort") !== "ascending";
      head.forEach((other) => other.setAttribute("aria-sort", "none"));
      th.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      body.querySelectorAll(".divider").forEach((row) => row.remove());
      const rows = [...body.rows].map((row) => [valueOf(row, place), row]);
      rows.sort(([a], [b]) => isMissing(a) || isMissing(b) ? isMissing(a) - isMissing(b) : (ascending ? 1 : -1) * compare(a, b));
      body.append(...rows.map(([, row]) => row));
      show(table);
    }));
    const more = table.querySelector("[data-more]"), copying = table.querySelector("[data-copy]");
    more.addEventListener("click", () => { more.dataset.all = more.dataset.all === "yes" ? "" : "yes"; show(table); });
    copying.hidden = false;
    copying.addEventListener("click", () => copy(
      [...table.querySelectorAll("tr")].filter((row) => row.dataset.out !== "yes").map((row) => [...row.cells].map((cell) => cell.textContent)), copying));
    show(table);
  });
  report.copy = copy;
  report.guarded = guarded;
  report.showTable = show;
})();
