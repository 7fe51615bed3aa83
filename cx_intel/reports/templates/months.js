/* The month that is picked on the page of revenue: in the address, with its movements of MRR and the accounts that moved. */
(() => {
  "use strict";
  const say = report.say, page = report.page;
  report.month = null;
  report.span = null;
  report.ownQuery = report.ownQuery || (() => ({}));
  if (!page.months || !page.months.length) return;
  const newest = page.months[0][0], dates = page.months.map(([month]) => month), names = new Map(page.months), box = document.getElementById("movers");
  report.monthName = (month) => names.get(month) || month;
  report.movement = "";

  /* The picker stands above what it changes. */
  const form = document.createElement("form"), label = document.createElement("label"), select = document.createElement("select");
  form.className = "filters months";
  form.setAttribute("aria-label", say("Month"));
  select.id = "month";
  select.append(...page.months.map(([month, name]) => new Option(name, month)));
  label.append(say("Month"), select);
  const sinceLabel = document.createElement("label"), since = document.createElement("select");
  since.id = "since";
  sinceLabel.append(say("against the end of"), since);
  form.append(label, sinceLabel);
  const step = (sign, text, by) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = sign;
    button.setAttribute("aria-label", text);
    button.addEventListener("click", () => pick(page.months[select.selectedIndex + by][0]));
    form.append(button);
    return button;
  };
  const older = step("‹", say("Month before"), 1), newer = step("›", say("Month after"), -1);
  const panel = document.getElementById("panel-waterfall");
  panel.closest("section").querySelector("h2").after(form);
  form.addEventListener("submit", (event) => event.preventDefault());
  select.addEventListener("change", () => pick(select.value, "", false, report.span ? since.value : ""));
  since.addEventListener("change", () => pick(select.value, "", false, since.value));

  /* The months after one up to another, the oldest first; null where that is one month. */
  function spanOf(month, before) {
    const from = dates.indexOf(before), to = dates.indexOf(month);
    return from - to < 2 ? null : dates.slice(to, from).reverse();
  }
  report.spanName = () => say("{from} to {to}", { from: report.ends.first, to: report.ends.last });
  const shownMonth = () => report.month || newest;

  function pick(month, movement = "", scroll = false, before = month === shownMonth() ? since.value : "") {
    report.span = spanOf(month, before);
    report.month = month === newest && !report.span ? null : month;
    report.ends = report.span ? { first: names.get(before), last: names.get(month) } : {};
    report.movement = movement;
    report.apply().then(() => {
      if (!scroll || !box) return;
      box.querySelector(".scroll").focus({ preventScroll: true });
      box.scrollIntoView({ block: "start", behavior: "smooth" });
    });
  }

  /* Each month of the table leads to its movements. */
  for (const row of document.querySelectorAll("#months tr[data-key]")) {
    const [month] = JSON.parse(row.dataset.key), link = document.createElement("a");
    link.href = "?month=" + month.slice(0, 7);
    link.append(row.cells[0].firstChild);
    link.addEventListener("click", (event) => { event.preventDefault(); pick(month, "", true); });
    row.cells[0].prepend(link);
  }

  const title = panel.querySelector("h3"), whole = title.firstChild.textContent;
  const head = box && [...box.querySelectorAll("thead th")].map((th) => th.className);
  const body = box && box.querySelector("tbody"), published = body && [...body.rows], caption = box && box.querySelector("caption"), counted = caption && caption.textContent, limit = box && box.dataset.of;
  const told = document.createElement("p"), note = box && box.querySelector(".under > .left-out:not([data-note])");
  told.className = "narrowed";
  const most = document.createElement("p");
  most.className = "left-out";
  if (box) box.append(most);
  told.setAttribute("role", "status");

  /* Each account once: its MRR before its first movement and after its last one, and all its movements. */
  function merged(columns, places) {
    const found = new Map();
    for (const place of [...places].sort((a, b) => columns.revenue_month[a] < columns.revenue_month[b] ? -1 : 1)) {
      const id = columns.id[place], one = found.get(id) || found.set(id, { ...Object.fromEntries(Object.keys(columns).map((name) => [name, columns[name][place]])), movements: new Set() }).get(id);
      one.movements.add(columns.movement[place]);
      one.now = columns.now[place];
      one.change = Math.round(100 * (one.now - one.before)) / 100;
    }
    return [...found.values()].sort((a, b) => Math.abs(b.change) - Math.abs(a.change) || String(a.id).localeCompare(String(b.id)));
  }

  function line(account) {
    const row = document.createElement("tr"), at = (name) => account[name];
    const cell = (text, column, sort) => { const td = document.createElement("td"); td.className = head[column]; td.textContent = text ?? page.formats.missing; if (sort !== undefined) td.dataset.sort = sort; return td; };
    const first = document.createElement("th"), link = document.createElement("a");
    first.scope = "row";
    link.textContent = at("name");
    link.href = "accounts.html" + (report.search || "") + "#" + encodeURIComponent(at("id"));
    first.append(link);
    const change = at("change"), size = report.money(Math.abs(change), page.formats.decimals);
    row.append(first, cell([...at("movements")].map((one) => page.movements[one] ?? page.formats.missing).join(", "), 1), cell((/[1-9]/.test(size) ? change > 0 ? "+" : "−" : "±") + size, 2, change),
      cell(report.money(at("before"), page.formats.decimals), 3, at("before")), cell(report.money(at("now"), page.formats.decimals), 4, at("now")), cell(at("segment"), 5), cell(at("owner"), 6));
    return row;
  }

  /* Whose MRR moved in the month, of the chosen accounts and by the movement that a mark stands for. */
  async function movers(chosen) {
    if (!box) return;
    const { month, movement } = report, isSet = Boolean(chosen || month || movement);
    told.remove();
    most.textContent = "";
    if (!isSet) {
      body.replaceChildren(...published);
      caption.firstChild.textContent = counted;
      if (limit) box.dataset.of = limit;
      if (note) note.hidden = false;
    } else {
      const cube = await report.cube("movers"), months = report.span || [shownMonth()], groups = report.grouped(cube, ["revenue_month"], chosen);
      let places = [], left = 0;
      for (const at of months) {
        const here = groups.get(JSON.stringify([at])) || [];
        const { n } = await report.figures("ledger", { revenue_month: at }, { n: "moved_accounts" }, chosen, null);
        places = places.concat(here);
        left += Math.max(0, n - here.length);
      }
      const accounts = merged(cube.columns, places).filter((account) => !movement || account.movements.has(movement));
      body.replaceChildren(...accounts.map(line));
      const all = accounts.length + (movement ? 0 : left);
      caption.firstChild.textContent = report.span
        ? say("Whose MRR moved from the end of {first} to the end of {last}: {n}", { ...report.ends, n: report.number(accounts.length) })
        : say("Whose MRR moved in {month}: {n}", { month: names.get(shownMonth()), n: report.number(all) });
      if (all > accounts.length && !report.span) box.dataset.of = all; else delete box.dataset.of;
      if (note) note.hidden = true;
      most.textContent = report.span && left ? say("Of each month the accounts that moved most are known here: {n} smaller movements are left out.", { n: report.number(left) }) : "";
      if (movement) {
        const close = document.createElement("button");
        close.type = "button";
        close.className = "quiet";
        close.textContent = say("Show all");
        close.addEventListener("click", () => pick(shownMonth()));
        told.replaceChildren(say("Only: {what}", { what: page.movements[movement] }) + " ", close);
        box.prepend(told);
      }
    }
    report.cards(box.querySelector("table"));
    report.showTable(box);
  }

  report.months = async (chosen) => {
    select.value = shownMonth();
    const before = report.span ? report.span[0] : shownMonth(), earlier = dates.slice(select.selectedIndex + 1);
    since.replaceChildren(...earlier.map((month) => new Option(names.get(month), month)));
    since.value = dates[dates.indexOf(before) + 1] || "";
    sinceLabel.hidden = earlier.length < 2;
    older.disabled = select.selectedIndex === page.months.length - 1;
    newer.disabled = select.selectedIndex === 0;
    title.firstChild.textContent = report.span ? say("What happened to MRR from the end of {first} to the end of {last}", report.ends) : report.month ? say("What happened to MRR in {month}", { month: names.get(report.month) }) : whole;
    await movers(chosen);
  };
  report.ownQuery = () => ({ ...(report.month ? { month: report.month.slice(0, 7) } : {}), ...(report.span ? { since: since.value.slice(0, 7) } : {}), ...(report.movement ? { movement: report.movement } : {}) });
  report.pick = pick;
  const given = new URLSearchParams(location.search), asked = page.months.find(([month]) => month.slice(0, 7) === given.get("month"));
  const before = dates.find((month) => month.slice(0, 7) === given.get("since")), asOf = asked ? asked[0] : newest;
  report.span = spanOf(asOf, before);
  if (asOf !== newest || report.span) report.month = asOf;
  report.ends = report.span ? { first: names.get(before), last: names.get(asOf) } : {};
  if (page.movements[given.get("movement")]) report.movement = given.get("movement");
  if (given.get("month") && !asked) {
    const words = Object.assign(document.createElement("p"), { className: "notice", textContent: say("The page holds no month {month}; it shows the newest one.", { month: given.get("month") }) });
    words.setAttribute("role", "note");
    form.before(words);
  }
})();
