/* The table of accounts: searched, filtered, sorted, paged, with the columns that are chosen, all of it in the address. */
(() => {
  "use strict";
  const say = report.say, page = report.page, all = report.datasets.accounts, table = document.getElementById("accounts");
  const form = document.getElementById("find"), body = table.tBodies[0], line = table.tHead.rows[0];
  const texts = all.map((row) => [row.name, row.id, row.owner].join(" ").toLowerCase());
  const places = new Map(all.map((row, place) => [row.id, place]));
  const ranks = Object.fromEntries(Object.entries(page.orders).map(([name, order]) => [name, new Map(order.map((value, place) => [value, place]))]));
  const known = page.columns.map(([name, label, kind, sort, shown, written]) => ({ name, label, kind, sort, shown, written }));
  const FIRST = "arr", PREFIX = "list.";
  const state = { sort: FIRST, ascending: false, start: 0, found: all.map((_, place) => place), columns: known.filter((column) => column.shown).map((column) => column.name) };
  let cells = null, columns = [], head = [];
  const make = (tag, text, attributes = {}) => {
    const element = document.createElement(tag);
    if (text !== undefined && text !== null) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };

  const signed = (value) => (value > 0.05 ? "+" : value < -0.05 ? "" : "±") + report.number(Math.abs(value) < 0.05 ? 0 : value, 1);
  const written = { score: (value) => report.number(value, 1), change: signed, money: (value) => report.money(value), number: (value) => report.number(value), text: String };
  const text = (row, column) => row[column.name] === null || row[column.name] === undefined ? page.formats.missing : (written[column.written] || written.text)(row[column.name]);

  function marked(name) {
    const mark = page.marks[name], span = make("span", undefined, { class: "mark" });
    if (mark) {
      const glyph = make("span", mark[0], { class: "glyph", "aria-hidden": "true" });
      glyph.style.color = mark[1];
      span.append(glyph);
    }
    span.append(name);
    return span;
  }

  function cell(row, column) {
    if (column.name === "name") {
      const th = make("th", undefined, { scope: "row" });
      th.append(make("a", row.name, { href: "#" + encodeURIComponent(row.id) }));
      return th;
    }
    const td = make("td", undefined, { class: column.kind });
    if (column.written === "level" && row[column.name]) td.append(marked(row[column.name]));
    else td.textContent = text(row, column);
    return td;
  }

  function key(place, column) {
    const value = all[place][column.sort];
    if (value === null || value === undefined) return null;
    const rank = ranks[column.rank || column.name];
    return rank ? rank.get(value) ?? rank.size : value;
  }

  /* The columns that are shown, and what a comparison adds after the one of changes. */
  function arrange() {
    const compared = report.accounts.compared;
    columns = known.filter(({ name }) => name === "name" || state.columns.includes(name) || (compared && name === "change"))
      .flatMap((column) => compared && column.name === "change" ? [{ ...column, label: compared.label }, ...compared.columns] : [column]);
    if (!columns.some(({ name }) => name === state.sort)) Object.assign(state, { sort: columns.some(({ name }) => name === FIRST) ? FIRST : "name", ascending: false });
    head = columns.map(({ name, label, kind }) => {
      const th = make("th", undefined, { scope: "col", class: kind, "data-name": name, "aria-sort": "none" }), button = make("button", label, { type: "button" });
      button.addEventListener("click", () => sortBy(name, state.sort === name ? !state.ascending : kind !== "number"));
      th.append(button);
      return th;
    });
    line.replaceChildren(...head);
    table.closest(".table").querySelectorAll(".sorting").forEach((select) => select.remove());
  }
  function sortBy(name, ascending) {
    Object.assign(state, { sort: name, ascending });
    find();
    head.find((th) => th.dataset.name === name)?.querySelector("button").focus();
  }

  const filtered = () => [...new FormData(form)].filter(([name, value]) => (name === "tier" || name === "risk") && value !== "");
  const sought = () => String(form.elements.search.value || "").trim();
  function find() {
    const words = sought().toLowerCase().split(/\s+/).filter(Boolean), picked = filtered();
    state.found = [];
    for (let place = 0; place < all.length; place++) {
      if (words.every((word) => texts[place].includes(word)) && picked.every(([name, value]) => all[place][name] === value) && (!cells || cells.has(all[place].cell))) state.found.push(place);
    }
    const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" }), sign = state.ascending ? 1 : -1;
    const column = columns.find(({ name }) => name === state.sort), keys = new Map(state.found.map((place) => [place, key(place, column)]));
    state.found.sort((a, b) => {
      const x = keys.get(a), y = keys.get(b);
      if (x === null || y === null) return (x === null) - (y === null) || a - b;
      return sign * (typeof x === "number" ? x - y : collator.compare(x, y)) || a - b;
    });
    state.start = 0;
    if (report.accounts.tell) report.accounts.tell(state.found);
    show();
    if (report.readdress) report.readdress();
  }

  function show() {
    const end = Math.min(state.start + page.perPage, state.found.length);
    body.replaceChildren(...state.found.slice(state.start, end).map((place) => {
      const tr = make("tr");
      tr.append(...columns.map((column) => cell(all[place], column)));
      return tr;
    }));
    report.cards(table);
    for (const th of head) th.setAttribute("aria-sort", th.dataset.name !== state.sort ? "none" : state.ascending ? "ascending" : "descending");
    document.getElementById("count").textContent = "(" + say("{n} of {all}", { n: report.number(state.found.length), all: report.number(all.length) }) + ")";
    document.getElementById("place").textContent = state.found.length ? say("{first} to {last} of {all}", { first: report.number(state.start + 1), last: report.number(end), all: report.number(state.found.length) }) : say("Nothing found");
    document.getElementById("previous").disabled = state.start === 0;
    document.getElementById("next").disabled = end >= state.found.length;
  }

  /* Which columns: a box for each, the usual ones beneath one button. */
  const chooser = document.getElementById("columns");
  const usual = known.filter((column) => column.shown).map((column) => column.name);
  function offer() {
    const boxes = known.filter(({ name }) => name !== "name").map(({ name, label }) => {
      const wrapped = make("label"), box = make("input", undefined, { type: "checkbox", value: name });
      box.checked = state.columns.includes(name);
      wrapped.append(box, " " + label);
      return wrapped;
    });
    const back = make("button", say("The usual columns"), { type: "button", class: "quiet" });
    back.addEventListener("click", () => { state.columns = [...usual]; offer(); arrange(); find(); });
    chooser.replaceChildren(...boxes, back);
  }
  chooser.addEventListener("change", () => {
    state.columns = ["name", ...[...chooser.querySelectorAll("input:checked")].map((box) => box.value)];
    arrange();
    find();
  });

  /* What of the table stands in the address, beside the filters. */
  const isUsual = () => state.columns.length === usual.length && usual.every((name) => state.columns.includes(name));
  report.ownQuery = () => {
    const told = { find: sought(), ...Object.fromEntries(filtered()), ...(report.accounts.days ? report.accounts.days() : {}) };
    if (state.sort !== FIRST || state.ascending) told.sort = (state.ascending ? "" : "-") + state.sort;
    if (!isUsual()) told.columns = state.columns.filter((name) => name !== "name").join(",");
    return Object.fromEntries(Object.entries(told).filter(([name, value]) => value || name === "columns").map(([name, value]) => [PREFIX + name, value]));
  };
  const given = new URLSearchParams(location.search), asked = (name) => given.get(PREFIX + name);
  function begin() {
    form.elements.search.value = asked("find") || "";
    for (const name of ["tier", "risk"]) {
      const field = form.elements[name];
      if (field && [...field.options].some((option) => option.value === asked(name))) field.value = asked(name);
    }
    if (asked("columns") !== null) state.columns = ["name", ...asked("columns").split(",").filter((name) => known.some((column) => column.name === name))];
    const sort = asked("sort");
    if (sort) Object.assign(state, { sort: sort.replace(/^-/, ""), ascending: sort[0] !== "-" });
  }

  let waiting;
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(find, 80); });
  form.addEventListener("reset", () => setTimeout(find));
  form.addEventListener("submit", (event) => { event.preventDefault(); find(); });
  document.getElementById("previous").addEventListener("click", () => { state.start -= page.perPage; show(); });
  document.getElementById("next").addEventListener("click", () => { state.start += page.perPage; show(); });
  const labels = () => columns.map(({ label }) => label);
  document.getElementById("copy-all").addEventListener("click", (event) => report.copy(
    [labels(), ...state.found.map((place) => columns.map((column) => text(all[place], column)))], event.target));
  const valueOf = (row, { sort, written: kind, name }) => row[kind === "level" ? name : sort] ?? "";
  document.getElementById("copy-all").after(...report.rowButtons(say("Accounts"), () => [labels(), ...state.found.map((place) => columns.map((column) => valueOf(all[place], column)))]));
  report.chosen = (chosen) => { cells = chosen; find(); };
  report.accounts = { all, places, make, marked, signed, body, asked, arrange, find, sortBy, state };
  begin();
  offer();
  arrange();
  find();
})();
