/* A click on a mark of a chart lists its accounts: beneath the chart, or in the table of the page that has them. */
(() => {
  "use strict";
  const say = report.say, page = report.page, LISTED = 50;
  const make = (tag, text, attributes = {}) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const shares = {
    bucket: (row, datum) => row.score !== null && Math.min(Math.floor(row.score / 5) * 5, 95) === datum.bucket,
    exposed: (row) => row.exposed > 0,
  };
  const narrowed = new Map();

  function close(text, act) {
    const button = make("button", text, { type: "button", class: "quiet" });
    button.addEventListener("click", act);
    return button;
  }

  function list(chart, datum, rows) {
    const by = chart.lists.by.filter((name) => name in shares || datum[name] !== undefined);
    const found = rows.filter((row) => by.every((name) => shares[name] ? shares[name](row, datum) : row[name] === datum[name]));
    const panel = document.getElementById("panel-" + chart.id), words = by.filter((name) => !shares[name]).map((name) => datum[name]);
    unlist();
    const table = make("table"), head = make("tr"), body = make("tbody"), scroll = make("div", undefined, { class: "scroll", tabindex: "0", role: "region" });
    const title = [...words, say("accounts: {n}", { n: report.number(found.length) })].join(", ");
    scroll.setAttribute("aria-label", title);
    for (const [label, kind] of [[say("Account"), "text"], [say("ARR"), "number"], [say("Score"), "number"], [say("Owner"), "text"]]) head.append(make("th", label, { scope: "col", class: kind }));
    for (const row of found.sort((a, b) => (b.arr || 0) - (a.arr || 0)).slice(0, LISTED)) {
      const line = make("tr"), name = make("th", undefined, { scope: "row" });
      name.append(make("a", row.name, { href: "accounts.html" + (report.search || "") + "#" + encodeURIComponent(row.id) }));
      line.append(name, make("td", report.money(row.arr), { class: "number" }), make("td", report.number(row.score, 1), { class: "number" }), make("td", row.owner));
      body.append(line);
    }
    const thead = make("thead");
    thead.append(head);
    table.append(make("caption", title), thead, body);
    scroll.append(table);
    const box = make("div", undefined, { class: "listed" }), under = make("p", undefined, { class: "under" });
    if (found.length > LISTED) under.append(make("span", say("{n} of {all} are shown.", { n: report.number(LISTED), all: report.number(found.length) }) + " "));
    under.append(close(say("Close"), unlist));
    box.append(scroll, under);
    panel.append(box);
    report.cards(table);
    scroll.focus({ preventScroll: true });
  }
  function unlist() { document.querySelectorAll(".listed").forEach((box) => box.remove()); }

  /* Hides the rows of a table that a mark does not hold. */
  function narrow(table) {
    const wanted = narrowed.get(table.id);
    if (!wanted) return;
    const heads = [...table.querySelectorAll("thead th")].map((th) => th.querySelector("button").textContent.trim());
    for (const row of table.querySelectorAll("tbody tr")) {
      const fits = wanted.every(([label, value]) => {
        const cell = row.cells[heads.indexOf(label)];
        const text = cell && cell.textContent.trim(), worded = cell && cell.querySelector(".glyph") ? text.slice(1).trim() : text;
        return cell && (worded === value || (cell.dataset.sort || "").slice(0, 7) === String(value).slice(0, 7));
      });
      if (!fits) row.dataset.out = "yes";
    }
  }

  function lead(chart, datum) {
    const table = document.getElementById(chart.lists.table);
    if (!table) return;
    const given = chart.lists.where.map(([label, name, words]) => [label, words ? words[datum[name]] : datum[name]]).filter(([, value]) => value !== undefined);
    if (!given.length) return;
    const widen = () => {
      narrowed.delete(table.id);
      table.querySelectorAll(".narrowed").forEach((part) => part.remove());
      table.querySelectorAll("tbody tr").forEach((row) => { row.dataset.out = ""; });
      if (report.refilter) report.refilter(); else report.showTable(table);
    };
    widen();
    narrowed.set(table.id, given);
    const told = make("p", say("Only: {what}", { what: given.map(([label, value]) => label + " " + (String(value).match(/^\d{4}-\d{2}-/) ? datum.month : value)).join(", ") }) + " ", { class: "narrowed", role: "status" });
    told.append(close(say("Show all"), widen));
    table.prepend(told);
    if (report.refilter) report.refilter(); else { narrow(table); report.showTable(table); }
    table.scrollIntoView({ block: "start", behavior: "smooth" });
  }

  report.marked = (chart, datum, rows) => chart.lists.table ? lead(chart, datum) : list(chart, datum, rows);
  report.narrow = narrow;
  report.unlist = unlist;
})();
