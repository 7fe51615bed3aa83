/* The month that is picked on the page of revenue: in the address, with its movements of MRR and the accounts that moved. */
(() => {
  "use strict";
  const say = report.say, page = report.page;
  report.month = null;
  report.ownQuery = report.ownQuery || (() => ({}));
  if (!page.months || !page.months.length) return;
  const newest = page.months[0][0], names = new Map(page.months), box = document.getElementById("movers");
  report.monthName = (month) => names.get(month) || month;
  report.movement = "";

  /* The picker stands above what it changes. */
  const form = document.createElement("form"), label = document.createElement("label"), select = document.createElement("select");
  form.className = "filters months";
  form.setAttribute("aria-label", say("Month"));
  select.id = "month";
  select.append(...page.months.map(([month, name]) => new Option(name, month)));
  label.append(say("Month"), select);
  form.append(label);
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
  select.addEventListener("change", () => pick(select.value));

  function pick(month, movement = "", scroll = false) {
    report.month = month === newest ? null : month;
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
  told.setAttribute("role", "status");

  function line(columns, place) {
    const row = document.createElement("tr"), at = (name) => columns[name][place];
    const cell = (text, column, sort) => { const td = document.createElement("td"); td.className = head[column]; td.textContent = text ?? page.formats.missing; if (sort !== undefined) td.dataset.sort = sort; return td; };
    const first = document.createElement("th"), link = document.createElement("a");
    first.scope = "row";
    link.textContent = at("name");
    link.href = "accounts.html" + (report.search || "") + "#" + encodeURIComponent(at("id"));
    first.append(link);
    const change = at("change"), size = report.money(Math.abs(change), page.formats.decimals);
    row.append(first, cell(page.movements[at("movement")], 1), cell((/[1-9]/.test(size) ? change > 0 ? "+" : "−" : "±") + size, 2, change),
      cell(report.money(at("before"), page.formats.decimals), 3, at("before")), cell(report.money(at("now"), page.formats.decimals), 4, at("now")), cell(at("segment"), 5), cell(at("owner"), 6));
    return row;
  }

  /* Whose MRR moved in the month, of the chosen accounts and by the movement that a mark stands for. */
  async function movers(chosen) {
    if (!box) return;
    const { month, movement } = report, isSet = Boolean(chosen || month || movement);
    told.remove();
    if (!isSet) {
      body.replaceChildren(...published);
      caption.firstChild.textContent = counted;
      if (limit) box.dataset.of = limit;
      if (note) note.hidden = false;
    } else {
      const at = month || newest, cube = await report.cube("movers");
      const places = report.grouped(cube, ["revenue_month"], chosen, (place) => !movement || cube.columns.movement[place] === movement).get(JSON.stringify([at])) || [];
      const { n } = await report.figures("ledger", { revenue_month: at }, { n: "moved_accounts" }, chosen);
      body.replaceChildren(...places.map((place) => line(cube.columns, place)));
      const all = movement ? places.length : Math.max(n, places.length);
      caption.firstChild.textContent = say("Whose MRR moved in {month}: {n}", { month: names.get(at), n: report.number(all) });
      if (all > places.length) box.dataset.of = all; else delete box.dataset.of;
      if (note) note.hidden = true;
      if (movement) {
        const close = document.createElement("button");
        close.type = "button";
        close.className = "quiet";
        close.textContent = say("Show all");
        close.addEventListener("click", () => pick(at));
        told.replaceChildren(say("Only: {what}", { what: page.movements[movement] }) + " ", close);
        box.prepend(told);
      }
    }
    report.cards(box.querySelector("table"));
    report.showTable(box);
  }

  report.months = async (chosen) => {
    select.value = report.month || newest;
    older.disabled = select.selectedIndex === page.months.length - 1;
    newer.disabled = select.selectedIndex === 0;
    title.firstChild.textContent = report.month ? say("What happened to MRR in {month}", { month: names.get(report.month) }) : whole;
    await movers(chosen);
  };
  report.ownQuery = () => ({ ...(report.month ? { month: report.month.slice(0, 7) } : {}), ...(report.movement ? { movement: report.movement } : {}) });
  report.pick = pick;
  const given = new URLSearchParams(location.search), asked = page.months.find(([month]) => month.slice(0, 7) === given.get("month"));
  if (asked && asked[0] !== newest) report.month = asked[0];
  if (page.movements[given.get("movement")]) report.movement = given.get("movement");
  if (given.get("month") && !asked) {
    const words = Object.assign(document.createElement("p"), { className: "notice", textContent: say("The page holds no month {month}; it shows the newest one.", { month: given.get("month") }) });
    words.setAttribute("role", "note");
    form.before(words);
  }
})();
