/* The filters of a page: what follows them is summed anew for the chosen accounts, the rest is said to be of the whole company. */
(() => {
  "use strict";
  const form = document.getElementById("filters");
  if (!form && !report.months && !report.accounts) return;
  const say = report.say, page = report.page, cells = page.filters.rows, columns = page.filters.columns;
  const box = document.getElementById("filter-box"), mine = document.getElementById("mine"), keep = document.getElementById("keep");
  const selected = document.getElementById("selected"), answer = document.querySelector(".answer:not(#selected)");
  const KEPT = "cx-intel-owner";

  /* Storage and addresses of files are refused by some readers: the filters work without them. */
  const tolerant = (act) => { try { return act(); } catch { return null; } };

  const sum = (parts, chosen) => parts.reduce((total, part, cell) => chosen.has(cell) ? total + part : total, 0);
  const rounded = (value) => Math.round(value * 1e6) / 1e6;
  const whole = (value) => { const shown = rounded(value); return Math.sign(shown) * Math.floor(Math.abs(shown) + 0.5); };
  const signed = (change, text) => /[1-9]/.test(text) ? (change > 0 ? "+" : "−") + text : "±" + text;

  /* Sentences over sums: figures are added up, differences taken of what is shown, ratios of the sums. */
  async function sentence(told, chosen) {
    const figures = { ...told.fixed }, shown = { ...told.texts }, formats = told.formats || {};
    if (told.cube) {
      const picked = told.byMonth && report.month ? { [told.byMonth]: report.month } : {};
      Object.assign(figures, await report.figures(told.cube, { ...told.keys, ...picked }, told.figures, chosen));
      if (told.byMonth) Object.assign(shown, { month: report.monthName(report.month || told.keys[told.byMonth]), ...report.ends });
    }
    const written = (value, kind, digits) => kind === "number" ? report.number(value, digits) : kind === "percent" ? report.percent(value, digits) : report.money(whole(value));
    for (const [name, parts] of Object.entries(told.sums || {})) figures[name] = rounded(sum(parts, chosen));
    for (const [name, value] of Object.entries(figures)) shown[name] = written(value, ...(formats[name] || ["money"]));
    for (const [name, [all, part]] of Object.entries(told.minus || {})) shown[name] = report.money(whole(figures[all]) - whole(figures[part]));
    for (const [name, [part, all, factor, kind, digits]] of Object.entries(told.ratios || {})) shown[name] = written(figures[all] ? factor * figures[part] / figures[all] : null, kind, digits);
    for (const [name, [end, start]] of Object.entries(told.growths || {})) {
      const change = figures[start] ? 100 * (figures[end] - figures[start]) / figures[start] : null;
      shown[name] = change === null ? page.formats.missing : signed(change, report.percent(Math.abs(change)));
    }
    return (report.span && told.spanned || told.clauses)
      .filter(([, needs, lacks]) => needs.every((name) => figures[name] > 0) && !lacks.some((name) => figures[name] > 0))
      .map(([forms]) => report.filled(Array.isArray(forms) ? forms[figures.n === 1 ? 0 : 1] : forms, shown))
      .map((text) => text[0].toUpperCase() + text.slice(1) + (text.endsWith(".") ? "" : ".")).join(" ");
  }

  /* NRR and GRR of the chosen accounts in a month, as the published ones are made: by month, of three, or of twelve months. */
  function rates(chosen, month) {
    const { rows, span } = page.retention, chart = report.charts.find((one) => one.id === rows);
    if (!chart || !month) return null;
    const months = [...new Set(chart.rows[rows].map((row) => row.at))].sort(), place = months.indexOf(month);
    const used = span === "trailing_3m_pct" ? months.slice(place - 2, place + 1) : [month];
    if (place < 0 || used.length === 0) return null;
    const parts = used.map((at) => {
      const found = chart.rows[rows].filter((row) => row.at === at && (!chosen || chosen.has(row.cell)));
      const total = (name) => found.reduce((all, row) => all + row[name], 0), then = total("then");
      return then > 0 ? { nrr: 100 * (total("now") / then), grr: 100 * (total("kept") / then) } : null;
    });
    if (parts.includes(null)) return null;
    const mean = (name) => parts.reduce((all, part) => all + part[name], 0) / parts.length;
    return { nrr: mean("nrr"), grr: mean("grr") };
  }

  const strip = new Map([...document.querySelectorAll(".kpi")].map((kpi) => [kpi, kpi.innerHTML]));
  const kinds = {
    arr: [report.shortMoney, 1], customers: [(value) => report.number(value), 1],
    exposed_arr: [report.shortMoney, -1], priority_accounts: [(value) => report.number(value), -1],
  };

  function change(kpi, place, text, isBetter) {
    const line = kpi.querySelectorAll(".change")[place], shown = line && line.lastElementChild;
    if (!shown) return;
    const even = text === page.formats.missing || text.startsWith("±");
    shown.className = even ? "even" : isBetter ? "good" : "bad";
    shown.textContent = (even ? "" : text.startsWith("+") ? "▲ " : "▼ ") + text;
  }

  function kpis(chosen) {
    for (const [kpi, html] of strip) {
      kpi.innerHTML = html;
      if (!chosen) continue;
      const key = kpi.id.replace("kpi-", "");
      const value = (days) => page.kpis[key + "@" + days] === undefined ? null : rounded(sum(page.kpis[key + "@" + days], chosen));
      let note = say("of the selection");
      if (kinds[key]) {
        const [text, better] = kinds[key], now = value(0);
        kpi.querySelector(".value").textContent = text(now);
        if (key === "exposed_arr") {
          const arr = rounded(sum(page.kpis["arr@0"], chosen));
          if (arr) note = say("{share} of the ARR of the selection", { share: report.percent(100 * (now / arr)) });
        }
        [7, 30].forEach((days, place) => {
          const before = value(days), gap = before === null ? null : now - before;
          change(kpi, place, gap === null ? page.formats.missing : signed(gap, text(Math.abs(gap))), gap * better > 0);
        });
      } else {
        const now = rates(chosen, page.retention.months[0]);
        kpi.querySelector(".value").textContent = report.percent(now && now[key]);
        [7, 30].forEach((days, place) => {
          const before = rates(chosen, page.retention.months[days]), gap = now && before ? now[key] - before[key] : null;
          change(kpi, place, gap === null ? page.formats.missing : signed(gap, say("{points} pts", { points: report.number(Math.abs(gap), 1) })), gap > 0);
        });
      }
      kpi.querySelector(".of").textContent = note;
    }
  }

  /* What stays of the whole company while a filter is set says so. */
  const wholes = [], described = new Map();
  const DAY = /\d{1,2} \S+ \d{4}|\d{2}\.\d{2}\.\d{4}/g;  // a day alone is no figure
  function tag(element, before = false) {
    const words = document.createElement("span");
    words.className = "whole";
    words.textContent = say("of the whole company");
    words.hidden = true;
    if (before) element.prepend(words, " "); else element.append(" ", words);
    wholes.push(words);
  }
  const follows = (chart) => chart.follows || Object.values(chart.rows).some(report.ofCells);
  function tagAll() {
    if (page.ofAll) return;
    for (const figure of document.querySelectorAll("figure.panel")) {
      const chart = report.charts.find((one) => "panel-" + one.id === figure.id);
      if (!chart || !follows(chart)) tag(figure.querySelector("h3"));
      else described.set(figure.querySelector(".chart"), figure.querySelector(".chart").getAttribute("aria-label"));
    }
    for (const table of document.querySelectorAll("[data-table]")) if (!table.querySelector("tr[data-cell]") && !table.dataset.kept && !(table.id in page.tables)) tag(table.querySelector("caption"));
    for (const note of document.querySelectorAll(".note, p.empty:not([data-empty])")) if (/\d/.test(note.textContent.replace(DAY, ""))) tag(note, true);
  }

  /* The answer for the whole company is folded away while a filter is set. */
  const folded = document.createElement("details"), title = document.createElement("summary");
  title.textContent = say("Of the whole company");
  folded.append(title);
  folded.className = "note";
  function fold(isSet) {
    if (!answer || page.ofAll || isSet === folded.isConnected) return;
    if (isSet) { answer.replaceWith(folded); folded.append(answer); } else { folded.replaceWith(answer); }
  }

  function tables(chosen) {
    for (const table of document.querySelectorAll("[data-table]")) {
      const rows = [...table.querySelectorAll("tr[data-cell]")];
      if (!rows.length || table.dataset.kept) continue;
      rows.forEach((row) => { row.dataset.out = chosen && !chosen.has(Number(row.dataset.cell)) ? "yes" : ""; });
      const kept = rows.filter((row) => row.dataset.out !== "yes").length, caption = table.querySelector("caption");
      let found = caption.querySelector(".found");
      if (!found) { found = document.createElement("span"); found.className = "found whole"; caption.append(" ", found); }
      found.textContent = !chosen ? "" : table.dataset.of
        ? say("of the selection: {n}, of the first {rows} of the whole company", { n: report.number(kept), rows: report.number(rows.length) })
        : say("of the selection: {n}", { n: report.number(kept) });
      report.showTable(table);
    }
  }

  const picked = () => form ? Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== "")) : {};

  /* The month stays on its page; filters go along to the others. */
  function address(chosen) {
    const asked = (pairs) => { const query = new URLSearchParams(pairs).toString(); return query ? "?" + query : ""; };
    const search = asked(chosen);
    tolerant(() => history.replaceState(null, "", location.pathname + asked({ ...chosen, ...report.ownQuery() }) + location.hash));
    for (const link of document.querySelectorAll('a[href*=".html"]')) {
      const [file, hash] = link.getAttribute("href").split("#");
      link.setAttribute("href", file.split("?")[0] + search + (hash === undefined ? "" : "#" + hash));
    }
    report.search = search;
    if (report.addressed) report.addressed();
  }

  /* What is said of the chosen accounts or month, in place of the answer for the whole company and the newest one. */
  async function tell(chosen) {
    const isSet = chosen || report.month, told = [];
    for (const one of (isSet && page.sentences) || []) told.push(await sentence(one, chosen));
    if (chosen && page.ofAll) told.push(page.ofAll);
    if (isSet && page.rates && !report.span) {
      const now = rates(chosen, report.month || page.retention.months[0]);
      if (now) told.push(report.filled(page.rates[0], { nrr: report.percent(now.nrr), grr: report.percent(now.grr), span: page.rates[1] }));
    }
    if (!selected) return;
    selected.hidden = told.length === 0;
    selected.replaceChildren(...told.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
  }

  /* One after the other: a choice that is made while another is shown comes after it. */
  let shown = Promise.resolve();
  const apply = () => { shown = shown.then(applyNow); return shown; };
  async function applyNow() {
    const chosen = picked(), names = Object.keys(chosen), is = (row) => names.every((name) => row[columns.indexOf(name)] === chosen[name]);
    const kept = names.length ? new Set(cells.flatMap((row, cell) => is(row) ? [cell] : [])) : null;
    address(chosen);
    wholes.forEach((words) => { words.hidden = !kept; });
    fold(Boolean(kept));
    for (const [chart, label] of described) chart.setAttribute("aria-label", kept ? chart.closest("figure").querySelector("h3").textContent + ", " + say("of the selection") : label);
    if (form) describe(chosen, names, kept);
    await tell(kept);
    if (page.kpis) kpis(kept);
    if (report.months) await report.months(kept);
    await report.rewrite(kept, report.month);
    tables(kept);
    report.unlist();
    if (report.chosen) report.chosen(kept);
    await report.filter(kept, report.month);
    document.documentElement.dataset.filtered = JSON.stringify({ ...chosen, ...report.ownQuery() });
  }

  /* Which accounts are shown, and the buttons that remember an owner. */
  function describe(chosen, names, kept) {
    const words = names.map((name) => page.filters.labels[name] + ": " + chosen[name]).join(", ");
    document.getElementById("filter-words").textContent = words || say("all accounts");
    box.classList.toggle("is-set", Boolean(kept));
    const remembered = tolerant(() => localStorage.getItem(KEPT));
    mine.hidden = !remembered || chosen.owner === remembered || ![...form.elements.owner?.options || []].some((option) => option.value === remembered);
    mine.textContent = remembered ? say("My accounts ({owner})", { owner: remembered }) : "";
    keep.hidden = !chosen.owner || chosen.owner === remembered;
  }

  function begin() {
    const given = new URLSearchParams(location.search);
    const unknown = [];
    for (const [name, value] of given) {
      const field = form.elements[name];
      if (!field || !field.options) continue;
      if ([...field.options].some((option) => option.value === value)) field.value = value;
      else unknown.push(page.filters.labels[name] + ": " + value);
    }
    if (unknown.length) {
      const words = Object.assign(document.createElement("p"), { className: "notice", textContent: say("Nobody has what the address asks for, so it is not applied: {what}", { what: unknown.join(", ") }) });
      words.setAttribute("role", "note");
      box.before(words);
    }
    if (window.innerWidth > 640) box.open = true;
    mine.addEventListener("click", () => { form.reset(); form.elements.owner.value = localStorage.getItem(KEPT); apply(); });
    keep.addEventListener("click", () => { tolerant(() => localStorage.setItem(KEPT, form.elements.owner.value)); apply(); });
    form.addEventListener("change", apply);
    form.addEventListener("reset", () => setTimeout(apply));
    form.addEventListener("submit", (event) => event.preventDefault());
  }
  if (form) begin();
  report.apply = apply;
  report.readdress = () => address(picked());
  report.ready.then(() => { tagAll(); return apply(); });
})();
