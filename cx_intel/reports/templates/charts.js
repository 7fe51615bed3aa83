/* Draws the charts of a page, in light or dark, and gives their rows to the other scripts as `report`. */
const report = (() => {
  "use strict";
  const page = JSON.parse(document.getElementById("page-data").textContent);
  const rowsOf = (packed) => {
    const names = Object.keys(packed.columns), rows = new Array(packed.length);
    for (let i = 0; i < packed.length; i++) {
      const row = {};
      for (const name of names) {
        const column = packed.columns[name];
        row[name] = Array.isArray(column) ? column[i] : column.at[i] < 0 ? null : column.of[column.at[i]];
      }
      rows[i] = row;
    }
    return rows;
  };
  const datasets = Object.fromEntries(Object.entries(page.datasets).map(([name, packed]) => [name, rowsOf(packed)]));
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const charts = [];
  let chosen = null;

  const rowsFor = (chart, name) => chart.follows ? chart.current || chart.rows[name] : chosen ? chart.rows[name].filter((row) => row.cell == null || chosen.has(row.cell)) : chart.rows[name];
  /* Rows of cells of accounts follow the filters. */
  const ofCells = (rows) => rows.some((row) => row.cell != null);

  /* On a narrow screen every second label of months, counted from the newest. */
  function thin(spec) {
    for (const layer of [spec, ...(spec.layer || [])]) {
      const x = layer.encoding && layer.encoding.x, values = x && x.type === "ordinal" && x.axis && x.axis.values;
      if (values && values.length > 4) x.axis.values = values.filter((_, place) => (values.length - 1 - place) % 2 === 0);
    }
  }

  async function drawInto(element, given, rows, canvas = false) {
    const spec = JSON.parse(JSON.stringify(given));
    spec.datasets = { ...(spec.datasets || {}), ...rows };
    const fixed = spec.height && typeof spec.height === "object";
    spec.autosize = fixed ? { type: "pad" } : { type: "fit-x", contains: "padding" };
    if (fixed) spec.width = Math.max(element.clientWidth - 170, 160);
    if (element.clientWidth < 420) thin(spec);
    const inner = document.createElement("div");
    element.replaceChildren(inner);
    const drawn = await vegaEmbed(inner, spec, {
      actions: false,
      renderer: canvas ? "canvas" : "svg",
      config: { ...page.themes[dark.matches ? "dark" : "light"], background: "transparent", aria: false },  // the chart is told by the label around it
      formatLocale: page.numberLocale,
      tooltip: { theme: dark.matches ? "dark" : "light" },
      mode: "vega-lite",
    });
    /* Gradients and clips are named with the address of the page, which changes with what is picked. */
    for (const name of ["fill", "stroke", "clip-path"]) {
      for (const element of inner.querySelectorAll(`[${name}^="url("]`)) element.setAttribute(name, element.getAttribute(name).replace(/^url\([^#]*#/, "url(#"));
    }
    const picture = inner.querySelector("svg");
    if (picture) { picture.removeAttribute("role"); picture.setAttribute("aria-hidden", "true"); }
    return drawn;
  }

  async function draw(chart) {
    const element = document.getElementById("chart-" + chart.id);
    if (!element) return;
    if (!window.vegaEmbed) { element.textContent = element.getAttribute("aria-label"); return; }
    if (chart.result) chart.result.finalize();
    chart.result = await drawInto(element, chart.spec, Object.fromEntries(chart.reads.map((name) => [name, rowsFor(chart, name)])), chart.canvas);
    chart.result.view.addEventListener("click", (event, item) => { if (item && item.datum) opened(chart, item.datum); });
    if (report.redrawn) report.redrawn(chart);
  }

  /* What a click on a mark opens: its account, or the list of its accounts. */
  function opened(chart, datum) {
    if (Object.keys(chart.lists).length && report.marked) report.marked(chart, datum, rowsFor(chart, chart.reads[0]), chosen);
    if (chart.opensAccounts && datum.id) location.href = "accounts.html" + (report.search || "") + "#" + encodeURIComponent(datum.id);
  }

  async function unpacked(text) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return JSON.parse(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text());
  }

  async function add(chart) {
    chart.rows = {};
    for (const name of chart.reads) {
      const own = chart.own[name];
      chart.rows[name] = own ? rowsOf(own.packed ? await unpacked(own.packed) : own) : datasets[name];
    }
    chart.canvas = Object.values(chart.rows).some((rows) => rows.length > 2000) && chart.opensAccounts;
    charts.push(chart);
    await draw(chart);
  }

  /* Shows in all charts that follow cells of accounts, or the month, those of the chosen ones; of all where none are given. */
  async function filter(cells, month) {
    const was = chosen;
    chosen = cells;
    for (const chart of charts) {
      if (!chart.result) continue;
      const before = chart.current;
      if (chart.follows) chart.current = await report.madeRows(chart, chosen, month);
      const names = chart.reads.filter((name) => ofCells(chart.rows[name]));
      if (chart.follows ? !before && !chart.current : !names.length || (!was && !chosen)) continue;
      const panel = document.getElementById("panel-" + chart.id);
      const empty = chart.follows ? Boolean(chart.current) && !chart.current.length : names.every((name) => !ofCells(rowsFor(chart, name)));
      panel.querySelector("[data-empty]").hidden = !empty;
      document.getElementById("chart-" + chart.id).hidden = empty;
      if (!empty) await draw(chart);
    }
  }

  const f = page.formats;
  /* A text in the language of the page, its gaps filled. */
  const filled = (text, gaps) => text.replace(/\{(\w+)\}/g, (gap, name) => name in gaps ? gaps[name] : gap);
  const say = (text, gaps = {}) => filled(page.words[text] || text, gaps);
  const number = (value, digits = 0, least = digits) => value === null || value === undefined ? f.missing
    : new Intl.NumberFormat(f.language, { minimumFractionDigits: least, maximumFractionDigits: digits, useGrouping: true })
      .format(value).replace("-", "−");
  const withSymbol = (text) => text === f.missing ? text : f.symbolFirst ? f.symbol + f.gap + text : text + f.gap + f.symbol;
  const money = (value, digits = 0) => withSymbol(number(value, digits));
  const shortMoney = (value) => {
    const size = Math.abs(value);
    if (size >= 999500) return withSymbol(number(value / 1e6, size < 9995000 ? 2 : 1) + f.million);
    if (size >= 9999.5) return withSymbol(number(value / 1e3, size < 99950 ? 1 : 0) + f.thousand);
    return money(value);
  };
  const percent = (value, digits = 1) => value === null || value === undefined ? f.missing
    : number(value, digits) + f.percent;

  const age = Math.floor((Date.now() - Date.parse(page.asOf + "T23:59:59Z")) / 864e5);
  if (age >= 3 && !document.querySelector(".earlier")) {
    const notice = document.getElementById("age");
    notice.textContent = say("These figures are {n} days old. Refresh the portfolio for newer ones.", { n: number(age) });
    notice.hidden = false;
  }

  const current = document.querySelector("nav [aria-current]"), menu = current && current.closest("ul");
  if (menu) menu.scrollLeft = current.offsetLeft - menu.offsetLeft - (menu.clientWidth - current.offsetWidth) / 2;

  /* A page of an earlier day that was sent alone: what its charts show is told in words. */
  const library = document.querySelector("script[src]");
  document.getElementById("alone").hidden = Boolean(library);
  if (library && !window.vegaEmbed) {
    const told = Object.assign(document.createElement("p"), { className: "notice", textContent: say("The charts are told in words: the file that draws them, {file}, does not lie in the folder above this page. Tables are whole.", { file: library.getAttribute("src").replace("../", "") }) });
    told.setAttribute("role", "note");
    document.querySelector("h1").after(told);
  }

  const ready = (async () => {
    for (const chart of page.charts) await add(chart);
    document.documentElement.dataset.ready = "yes";
  })();
  dark.addEventListener("change", () => charts.forEach(draw));
  return { page, datasets, rowsOf, unpacked, add, opened, filter, ready, drawInto, dark, number, money, shortMoney, percent, say, filled, ofCells, charts };
})();
