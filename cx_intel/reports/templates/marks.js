/* A click on a mark of a chart lists its accounts beneath it, or picks a month and movement of MRR. */
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

  /* Accounts as rows: id, name, and the texts of the columns. */
  function show(chart, words, columns, found) {
    unlist();
    const panel = document.getElementById("panel-" + chart.id);
    const table = make("table"), head = make("tr"), body = make("tbody"), scroll = make("div", undefined, { class: "scroll", tabindex: "0", role: "region" });
    const title = [...words, say("accounts: {n}", { n: report.number(found.length) })].join(", ");
    scroll.setAttribute("aria-label", title);
    for (const [label, kind] of [[say("Account"), "text"], ...columns]) head.append(make("th", label, { scope: "col", class: kind }));
    for (const [id, name, texts] of found.slice(0, LISTED)) {
      const line = make("tr"), first = make("th", undefined, { scope: "row" });
      first.append(make("a", name, { href: "accounts.html" + (report.search || "") + "#" + encodeURIComponent(id) }));
      line.append(first, ...texts.map((text, place) => make("td", text, { class: columns[place][1] })));
      body.append(line);
    }
    const thead = make("thead");
    thead.append(head);
    table.append(make("caption", title), thead, body);
    scroll.append(table);
    const box = make("div", undefined, { class: "listed" }), under = make("p", undefined, { class: "under" }), button = make("button", say("Close"), { type: "button", class: "quiet" });
    if (found.length > LISTED) under.append(make("span", say("{n} of {all} are shown.", { n: report.number(LISTED), all: report.number(found.length) }) + " "));
    button.addEventListener("click", unlist);
    under.append(button);
    box.append(scroll, under);
    panel.append(box);
    report.cards(table);
    scroll.focus({ preventScroll: true });
    panel.dataset.listed = title;
  }
  function unlist() {
    document.querySelectorAll(".listed").forEach((box) => { delete box.closest("figure").dataset.listed; box.remove(); });
  }

  /* Those of the table `accounts` that share the fields of the mark. */
  function list(chart, datum, rows) {
    const by = chart.lists.by.filter((name) => name in shares || datum[name] !== undefined);
    const found = rows.filter((row) => by.every((name) => shares[name] ? shares[name](row, datum) : row[name] === datum[name]));
    found.sort((a, b) => (b.arr || 0) - (a.arr || 0));
    const words = by.filter((name) => !shares[name]).map((name) => datum[name]);
    if (by.includes("bucket")) words.unshift(say("score from {low} to {high}", { low: datum.bucket, high: datum.until }));
    show(chart, words, [[say("ARR"), "number"], [say("Score"), "number"], [say("Owner"), "text"]],
      found.map((row) => [row.id, row.name, [report.money(row.arr), report.number(row.score, 1), row.owner]]));
  }

  /* Those of a cube that share the fields of the mark, those with the most of the first column in front. */
  async function listCube(chart, datum, chosen) {
    const { keys, columns } = chart.lists, cube = await report.cube(chart.lists.cube);
    const asked = Object.entries(keys).filter(([, field]) => datum[field] !== undefined).map(([column, field]) => [cube.columns[column], datum[field]]);
    if (!asked.length) return;
    const groups = report.grouped(cube, ["id", "name"], chosen, (place) => asked.every(([values, value]) => values[place] === value));
    const found = [...groups].map(([key, places]) => [...JSON.parse(key), columns.map(([, figure]) => report.figure(cube, figure, places))]);
    found.sort((a, b) => (b[2][0] ?? -Infinity) - (a[2][0] ?? -Infinity) || String(a[1]).localeCompare(String(b[1])));
    const words = chart.lists.words.map((name) => datum[name]).filter((word) => word !== undefined);
    show(chart, words, columns.map(([label]) => [label, "number"]),
      found.map(([id, name, values]) => [id, name, values.map((value, place) => report.written(value, ...columns[place].slice(2)))]));
  }

  /* A month, and where the mark is of one, a movement: on this page, or on that of revenue. */
  function lead({ lists }, datum) {
    const month = datum[lists.month], movement = lists.movements ? lists.movements[datum.step] || "" : "";
    if (month === undefined || (lists.movements && datum.step !== undefined && !movement)) return;
    if (page.months) { report.pick(month, movement, true); return; }
    const query = new URLSearchParams(report.search || "");
    query.set("month", month.slice(0, 7));
    location.href = "revenue.html?" + query;
  }

  report.marked = (chart, datum, rows, chosen) => chart.lists.month ? lead(chart, datum) : chart.lists.cube ? listCube(chart, datum, chosen) : list(chart, datum, rows);
  report.unlist = unlist;
})();
