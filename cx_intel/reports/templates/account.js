/* One account, opened by its name or by the address: all that is known of it, unpacked when it is asked for. */
(() => {
  "use strict";
  const say = report.say, page = report.page, { all, places, make, marked, body } = report.accounts;
  const blocks = [...document.querySelectorAll("script.packed")], unpacked = new Map();
  async function detail(place) {
    const number = Math.floor(place / page.perBlock);
    if (!unpacked.has(number)) {
      unpacked.set(number, await report.unpacked(blocks[number].textContent));
    }
    return unpacked.get(number)[place % page.perBlock];
  }

  report.accounts.detail = detail;

  function card(title, ...children) {
    const section = make("section", undefined, { class: "card" });
    section.append(make("h3", title), ...children);
    return section;
  }
  function list(pairs) {
    const dl = make("dl");
    for (const [term, value] of pairs) {
      const dd = make("dd");
      if (page.marks[value] && term === say("Renewal risk")) dd.append(marked(value)); else dd.textContent = value;
      dl.append(make("dt", term), dd);
    }
    return dl;
  }
  function grid(caption, headings, rows) {
    const wrapper = make("div", undefined, { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }), found = make("table");
    const line = make("tr");
    line.append(...headings.map((heading) => make("th", heading, { scope: "col", style: "padding:.3rem .5rem" })));
    const thead = make("thead"), tbody = make("tbody");
    thead.append(line);
    tbody.append(...rows.map((row) => { const tr = make("tr"); tr.append(...row.map((value) => make("td", value))); return tr; }));
    found.append(make("caption", caption), thead, tbody);
    wrapper.append(found);
    report.cards(found);
    return wrapper;
  }
  /* A signal's value in words, as `driver_words` writes it, and the points that it has and loses. */
  const short = (value) => report.number(value, 2, 0);
  function driver([place, value, benchmark, points, of, silent]) {
    const [label, unit, one, isBoolean] = page.axes.signals[place];
    const withUnit = (amount) => { const text = short(amount); return (text + "\u00a0" + (text === "1" ? one : unit)).trim(); };
    let words = value === null ? say("not measured") : isBoolean ? value === 0 ? say("no") : say("yes") : withUnit(value);
    if (!isBoolean && benchmark !== null) words += " (" + say("benchmark") + "\u00a0" + withUnit(benchmark) + ")";
    if (silent) words += ", " + say("source silent");
    return { label, words, points, of, lost: Math.max(0, Math.round(100 * (of - points)) / 100) };
  }
  const drawings = [];
  function chart(name, rows, label) {
    const element = make("div", undefined, { class: "chart", role: "img", "aria-label": label });
    drawings.push(() => report.drawInto(element, page.accountCharts[name], { [name]: rows }));
    return element;
  }

  /* The ledger of an account: each movement of its MRR, the newest first, to be read and saved. */
  function movesOf(moves) {
    const digits = page.formats.decimals, headings = [say("Month"), say("Movement"), say("Change"), say("Before"), say("After")];
    const change = ({ before, now }) => (now > before ? "+" : now < before ? "−" : "±") + report.money(Math.abs(now - before), digits);
    const newest = [...moves].reverse(), caption = say("What moved its MRR, the newest first");
    const table = grid(caption, headings, newest.map((move) => [move.month, move.movement, change(move), report.money(move.before, digits), report.money(move.now, digits)]));
    const saving = make("p", undefined, { class: "under saving" }), name = document.getElementById("account-name").textContent;
    saving.append(...report.rowButtons(name + ", " + caption, () => [headings, ...newest.map((move) => [move.at, move.movement, Math.round(100 * (move.now - move.before)) / 100, move.before, move.now])]).flatMap((made) => [made, " "]));
    return [table, saving];
  }

  async function open(id) {
    const dialog = document.getElementById("account"), place = places.get(id);
    if (place === undefined) { if (dialog.open) dialog.close(); return; }
    const row = all[place], found = await detail(place), parts = [];
    let drivers = null;
    const people = (found.contacts || []).length ? card(say("Contacts"), grid(say("Who is called first is in front"), [say("Name"), say("Job title"), say("E-mail"), say("Phone"), say("Role"), say("Last activity")], found.contacts)) : null;
    if (people) people.classList.add("wide");
    document.getElementById("account-name").textContent = row.name;
    const line = document.getElementById("account-line");
    line.replaceChildren(make("span", row.id + ", " + row.segment + ", " + say("owner: {owner}", { owner: row.owner }) + ", " + say("ARR") + " " + report.money(row.arr) + (row.tier === null ? "" : ", ")));
    if (row.tier !== null) line.append(marked(row.tier), make("span", " " + report.number(row.score, 1)));
    drawings.length = 0;
    if (found.renewal) parts.push(card(say("Renewal and playbook"), list(found.renewal)));
    else if (page.orders && page.columns.some(([name]) => name === "risk")) parts.push(card(say("Renewal and playbook"), make("p", say("No renewal within 270 days."), { class: "empty" })));
    if (people) parts.push(people);
    if (found.drivers) {
      const worst = found.drivers.map(driver).sort((a, b) => b.lost - a.lost);
      const halves = make("div", undefined, { class: "halves" });
      halves.append(chart("drivers", worst, say("Points that each signal adds and loses; the table has the figures.")),
        grid(say("Signals, the costliest first"), [say("Signal"), say("Value"), say("Points"), say("Lost")], worst.map((d) => [d.label, d.words, report.number(d.points, 1), report.number(d.lost, 1)])));
      drivers = card(say("What makes the score"), halves);
      drivers.classList.add("wide");
    }
    if (found.moves) {
      const moves = found.moves.map((move) => {
        const item = make("div");
        item.append(make("p", say("Since {day}: {change} points", { day: move.since, change: move.change }) + (move.tiers[0] === move.tiers[1] ? "" : ", " + move.tiers[0] + " → " + move.tiers[1])));
        const ul = make("ul");
        ul.append(...move.parts.map(([what, change, note]) => make("li", what + " " + change + (note ? " (" + note + ")" : ""))));
        item.append(ul);
        return item;
      });
      parts.push(card(say("What moved"), ...moves, ...(found.events || []).map((event) => make("p", event))));
    }
    if (drivers) parts.push(drivers);
    if (found.score) {
      const [weeks, scores, tiers] = found.score, days = page.axes.days;
      const line = weeks.map((week, i) => ({ at: days[week][0], day: days[week][1], score: scores[i], tier: page.axes.tiers[tiers[i]] }));
      parts.push(card(say("Score over time"), chart("score", line, say("Score over time") + ": " + line.map((s) => s.day + " " + report.number(s.score, 1)).join(", "))));
    }
    if (found.mrr) {
      const [months, amounts, moves] = found.mrr, ledger = months.map((place, i) => ({ at: page.axes.months[place][0], month: page.axes.months[place][1], mrr: amounts[i] }));
      const children = [chart("mrr", ledger, say("MRR by month, last") + " " + report.money(amounts[amounts.length - 1]))];
      if (moves.length) children.push(...movesOf(moves.map(([at, movement, before, now]) => ({ month: ledger[at].month, at: ledger[at].at, movement: page.axes.movements[movement], before, now }))));
      parts.push(card(say("MRR"), ...children));
    }
    if (found.tickets) {
      const children = [list(found.tickets.figures)];
      if (found.tickets.rows.length) children.push(grid(say("Unresolved tickets first, then those of 90 days"), [say("Ticket"), say("Created"), say("Priority"), say("Category"), say("Status"), say("Rating"), ""], found.tickets.rows));
      parts.push(card(say("Tickets"), ...children));
    }
    parts.push(card(say("About"), list(found.facts || [])));
    const links = document.getElementById("account-links"), shown = (found.links || []).filter(([, address]) => /^https?:\/\//.test(address));
    links.hidden = !shown.length;
    links.replaceChildren(...shown.map(([label, address]) => make("a", say("Open in {system}", { system: label }), { href: address, target: "_blank", rel: "noopener noreferrer" })));
    document.getElementById("account-body").replaceChildren(...parts);
    if (!dialog.open) dialog.showModal();
    document.getElementById("account-name").focus();
    for (const draw of drawings) await draw();
    dialog.dataset.shown = id;
  }

  const follow = () => { const id = decodeURIComponent(location.hash.slice(1)); if (id && id !== "main") open(id); };
  const dialog = document.getElementById("account");
  document.getElementById("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => {
    const id = decodeURIComponent(location.hash.slice(1));
    history.replaceState(null, "", location.pathname + location.search);
    const link = [...body.querySelectorAll("a")].find((a) => a.getAttribute("href") === "#" + encodeURIComponent(id));
    if (link) link.focus();
  });
  window.addEventListener("hashchange", follow);
  report.dark.addEventListener("change", () => drawings.forEach((draw) => draw()));
  follow();
})();
