/* Figures of tables and charts for chosen accounts and months, made of the rows that a page holds packed (its cubes). */
(() => {
  "use strict";
  const say = report.say, page = report.page, cubes = new Map();
  const rounded = (value) => Math.round(value * 1e6) / 1e6;

  function cube(name) {
    if (!cubes.has(name)) {
      cubes.set(name, report.unpacked(page.cubes[name].packed).then((rows) => ({
        length: rows.length, figures: page.cubes[name].figures,
        columns: Object.fromEntries(Object.entries(rows.columns).map(([column, values]) => [column, Array.isArray(values) ? values : values.at.map((place) => place < 0 ? null : values.of[place])])),
      })));
    }
    return cubes.get(name);
  }

  /* The rows of the chosen cells, all where none are given, by their keys: the places of each group. */
  function grouped(cube, keys, chosen, fits = () => true) {
    const groups = new Map(), columns = keys.map((name) => cube.columns[name]), cells = cube.columns.cell;
    for (let place = 0; place < cube.length; place++) {
      if ((chosen && !chosen.has(cells[place])) || !fits(place)) continue;
      const key = JSON.stringify(columns.map((values) => values[place])), group = groups.get(key);
      if (group) group.push(place); else groups.set(key, [place]);
    }
    return groups;
  }

  const holds = { "=": (a, b) => a === b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b };
  /* A figure of these places; conditions may name a field of the row that it is shown in. */
  function figure(cube, name, places, row = {}) {
    const made = cube.figures[name];
    const asked = made.where.map(([column, is, value]) => [cube.columns[column], holds[is], typeof value === "string" && value[0] === "@" ? row[value.slice(1)] : value]);
    const edge = made.at && report.span ? report.span[made.at === "first" ? 0 : report.span.length - 1] : null;
    if (edge) places = places.filter((place) => cube.columns.revenue_month[place] === edge);
    const kept = asked.length ? places.filter((place) => asked.every(([values, is, value]) => is(values[place], value))) : places;
    const sum = (names) => rounded(names.reduce((all, given) => {
      const column = given.replace(/^-/, ""), values = cube.columns[column];
      const found = column === "#" ? kept.length : kept.reduce((total, place) => total + (values[place] || 0), 0);
      return given[0] === "-" ? all - found : all + found;
    }, 0));
    if (made.per) { const whole = sum(made.per); return whole ? made.times * (sum(made.of) / whole) : null; }
    if (made.of) return sum(made.of);
    const values = kept.map((place) => cube.columns[made.in || made.least][place]).filter((value) => value !== null).sort((a, b) => a - b);
    if (!values.length) return null;
    if (made.least) return values[0];
    const at = made.quantile * (values.length - 1), low = Math.floor(at), next = values[Math.min(low + 1, values.length - 1)];
    return (values[low] + (at - low) * (next - values[low])) / made.unit;
  }

  /* The places of a group: of one month, or of all that are picked together. */
  const placesIn = (groups, keys, month, span = report.span) => {
    const at = keys.indexOf(month);
    if (!span || at < 0) return groups.get(JSON.stringify(keys)) || [];
    return span.flatMap((one) => groups.get(JSON.stringify(Object.assign([...keys], { [at]: one }))) || []);
  };

  function due(days) {
    if (days === null) return page.formats.missing;
    if (days === 0) return say("today");
    const forms = days < 0 ? page.due.overdue : page.due.to;
    return report.filled(forms[Math.abs(days) === 1 ? 0 : 1], { n: report.number(Math.abs(days)) });
  }
  /* Amounts are published in cents; what is shown is rounded from there. */
  const cents = (value, digits) => report.money(Math.sign(value) * Math.round(Math.abs(value) * 100) / 100, digits);
  const kinds = { money: cents, percent: report.percent, number: report.number, due };
  const written = (value, kind, digits = 0, unit = "") => value === null ? page.formats.missing : kinds[kind](value, digits) + unit;

  /* The tables of sums, as published where nothing is chosen. */
  const published = new Map();
  async function rewrite(chosen, month) {
    for (const [id, told] of Object.entries(page.tables)) {
      const box = document.getElementById(id), rows = [...box.querySelectorAll("tr[data-key]")], caption = box.querySelector("caption");
      if (!published.has(id)) published.set(id, rows.map((row) => [...row.cells].map((cell) => [cell.textContent, cell.dataset.sort])));
      const isSet = Boolean(chosen || (told.byMonth && month)), names = Object.keys(told.by);
      if (!isSet && box.dataset.summed !== "yes") continue;
      const from = isSet ? await cube(told.cube) : null, groups = from && grouped(from, names, chosen), before = published.get(id);
      rows.forEach((row) => {
        const place = Number(row.dataset.place ?? (row.dataset.place = rows.indexOf(row)));
        const key = JSON.parse(row.dataset.key).map((value, at) => told.byMonth && month && names[at] === "revenue_month" ? month : value);
        const places = groups ? placesIn(groups, key, told.byMonth ? month : undefined) : [];
        row.dataset.out = isSet && !places.length ? "yes" : "";
        told.columns.forEach((column, at) => {
          if (column === null) return;
          const cell = row.cells[at], [text, sort] = before[place][at];
          const isOfOne = told.byMonth && report.span && column.length && from.figures[column[0]].per;  // a rate of a month
          const value = !isSet || isOfOne ? null : column.length ? figure(from, column[0], places, row.dataset) : null;
          cell.textContent = !isSet || (value === null && sort === undefined) ? text : written(value, ...column.slice(1));
          if (isSet) cell.dataset.sort = value ?? ""; else if (sort !== undefined) cell.dataset.sort = sort; else delete cell.dataset.sort;
        });
      });
      box.dataset.summed = isSet ? "yes" : "";
      let words = caption.querySelector(".found");
      if (!words) { words = document.createElement("span"); words.className = "found whole"; caption.append(" ", words); }
      const nobody = isSet && rows.every((row) => row.dataset.out === "yes");
      words.textContent = [told.byMonth && month ? report.span ? report.spanName() : report.monthName(month) : "", chosen ? nobody ? say("nothing of the selection") : say("of the selection") : ""].filter(Boolean).join(", ");
      report.showTable(box);
    }
  }

  /* The rows of a chart for the chosen accounts and month; null where it is to be drawn as published. */
  async function rowsOf(chart, chosen, month) {
    const told = chart.follows;
    if (!chosen && !(told.byMonth && month)) return null;
    const from = await cube(told.cube), groups = grouped(from, Object.keys(told.by), chosen), found = [];
    const moment = (field, row) => told.byMonth && month && field === "at" ? month : row[field];
    for (const row of chart.rows[chart.reads[0]]) {
      const made = { ...row, at: moment("at", row) }, places = placesIn(groups, Object.values(told.by).map((name) => made[name]), told.byMonth ? made.at : undefined);
      if (!places.length) continue;
      for (const [name, given] of Object.entries(told.values)) made[name] = figure(from, given[0] === "@" ? row[given.slice(1)] : given, places, row);
      for (const [name, [given, kind, digits]] of Object.entries(told.texts)) made[name] = written(figure(from, given, places, row), kind, digits);
      for (const name of told.drops) made[name] = null;
      if (Object.keys(told.values).every((name) => made[name] !== null)) found.push(made);
    }
    return found;
  }

  /* Sums of the figures of one group: a month of the ledger, say. */
  async function figures(name, keys, wanted, chosen, span) {
    const from = await cube(name), places = placesIn(grouped(from, Object.keys(keys), chosen), Object.values(keys), keys.revenue_month, span);
    return Object.fromEntries(Object.entries(wanted).map(([gap, given]) => [gap, figure(from, given, places)]));
  }
  Object.assign(report, { cube, grouped, figure, written, rewrite, madeRows: rowsOf, figures });
})();
