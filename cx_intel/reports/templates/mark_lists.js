/* The marks of a chart that a click opens, as a list of buttons: for the keyboard, for screen readers, and for a finger on a phone. */
(() => {
  "use strict";
  const say = report.say, LISTED = 50;
  const DRAWN = new Set(["rect", "symbol", "arc", "path"]);
  let origin = null;

  /* What tells the accounts of a mark apart from those of the others; null where a click on it opens nothing. */
  function keyOf(chart, datum) {
    if (chart.opensAccounts) return datum.id === undefined ? null : String(datum.id);
    const { lists } = chart, held = (names) => names.filter((name) => datum[name] !== undefined && datum[name] !== null);
    if (lists.month) {
      const movement = lists.movements && datum.step !== undefined ? lists.movements[datum.step] : "";
      return movement === undefined || datum[lists.month] === undefined ? null : JSON.stringify([datum[lists.month], movement]);
    }
    const names = held(lists.cube ? Object.values(lists.keys) : lists.by);
    return names.length ? JSON.stringify(names.map((name) => datum[name])) : null;
  }

  function* items(mark) {
    if (/^(axis|legend|title)/.test(mark.role || "")) return;
    for (const item of mark.items || []) {
      if (mark.marktype === "group") for (const inner of item.items || []) yield* items(inner);
      else if (DRAWN.has(mark.marktype) && item.datum && item.tooltip && !(mark.marktype === "rect" && !(item.width && item.height))) yield item;
    }
  }

  /* Each key once, with what the tooltips of all its marks have in common; the newest month or the largest account in front. */
  function marksOf(chart) {
    const found = new Map();
    for (const item of items(chart.result.view.scenegraph().root)) {
      const key = keyOf(chart, item.datum);
      if (key === null) continue;
      const told = typeof item.tooltip === "object" ? Object.entries(item.tooltip).map(([name, value]) => name + ": " + value) : [String(item.tooltip)];
      const known = found.get(key);
      if (known) known.told = known.told.filter((line) => told.includes(line)); else found.set(key, { key, datum: item.datum, told });
    }
    const all = [...found.values()];
    const at = ({ datum }) => String(datum.at || "");
    return all.sort(chart.opensAccounts ? (a, b) => (b.datum.arr || 0) - (a.datum.arr || 0) : (a, b) => at(b).localeCompare(at(a)));
  }

  const boxOf = (chart) => document.querySelector("#panel-" + chart.id + " .mark-list");
  function fill(chart) {
    const box = boxOf(chart), all = marksOf(chart), most = chart.opensAccounts ? LISTED : all.length, list = document.createElement("ul");
    list.append(...all.slice(0, most).map(({ key, datum, told }) => {
      const item = document.createElement("li"), button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      button.dataset.key = key;
      button.textContent = told.join(", ");
      button.addEventListener("click", () => { origin = { chart, key }; report.opened(chart, datum); });
      item.append(button);
      return item;
    }));
    box.replaceChildren(box.firstElementChild, list);
    if (all.length > most) box.append(Object.assign(document.createElement("p"), { className: "left-out", textContent: say("{n} of {all} are shown.", { n: report.number(LISTED), all: report.number(all.length) }) }));
  }

  function add(chart) {
    const box = document.createElement("details"), title = document.createElement("summary");
    box.className = "mark-list";
    title.textContent = say("Choose from a list");
    title.setAttribute("aria-label", say("Choose from a list") + ": " + document.querySelector("#panel-" + chart.id + " h3").firstChild.textContent.trim());
    box.append(title);
    box.addEventListener("toggle", () => { if (box.open) fill(chart); });
    document.querySelector("#panel-" + chart.id + " .saving").prepend(box);
  }

  /* Escape closes what is open here, and leads back to where it was opened. */
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    const at = document.activeElement, listed = document.querySelector(".listed"), box = at && at.closest(".mark-list[open]");
    if (listed || (origin && at && at.closest("#movers"))) {
      const from = origin && boxOf(origin.chart), panel = listed && listed.closest("figure");
      report.unlist();
      if (from && (!panel || panel.contains(from))) {
        const button = [...from.querySelectorAll("button")].find((one) => one.dataset.key === origin.key);
        (button || from.firstElementChild).focus();
      } else if (panel && panel.querySelector("summary")) panel.querySelector("summary").focus({ preventScroll: true });
      origin = null;
    } else if (box) {
      box.open = false;
      box.firstElementChild.focus();
    }
  });

  report.redrawn = (chart) => { const box = boxOf(chart); if (box && box.open) fill(chart); };
  report.ready.then(() => report.charts.filter((chart) => chart.result && (chart.opensAccounts || Object.keys(chart.lists).length)).forEach(add));
})();
