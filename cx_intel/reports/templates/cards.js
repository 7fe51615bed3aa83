/* Tables on a narrow screen: each row is a card with the columns that matter first, the others folded. Looks: style.css. */
(() => {
  "use strict";
  const SHOWN = 4;
  const say = report.say;
  const narrow = window.matchMedia("(max-width: 640px)");
  const roles = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TH: "rowheader", TD: "cell" };

  /* Column: where it stands on a card, 0 being its title; 50 and more is folded. */
  function placesOf(head, row) {
    const title = Math.max(0, [...row.cells].findIndex((cell) => cell.tagName === "TH"));
    const given = head.some((th) => th.dataset.place);
    let next = 0;
    return head.map((th, column) => column === title ? 0
      : given ? Number(th.dataset.place || 50 + column)
      : next < SHOWN || head.length <= SHOWN + 2 ? ++next : 50 + column);
  }

  /* The button of a card; its words are no text of the cell, so that neither sorting nor copying meets them. */
  function unfolding(row, name) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "unfold";
    const tell = () => {
      button.setAttribute("aria-expanded", String(row.dataset.open === "yes"));
      button.setAttribute("aria-label", say("All columns: {name}", { name }));
    };
    button.addEventListener("click", () => { row.dataset.open = row.dataset.open === "yes" ? "" : "yes"; tell(); });
    tell();
    return button;
  }

  function card(row, labels, places) {
    if (row.dataset.card || row.classList.contains("divider")) return;
    row.dataset.card = "yes";
    row.setAttribute("role", "row");
    [...row.cells].forEach((cell, column) => {
      const place = places[column];
      cell.setAttribute("role", roles[cell.tagName]);
      cell.style.order = place;
      if (place > 0) cell.dataset.label = labels[column];
      if (place >= 50) cell.dataset.folded = "yes";
      if (place === 0) {
        const name = cell.textContent.trim();
        cell.classList.add("title");
        if (places.some((other) => other >= 50)) cell.append(unfolding(row, name));
      }
    });
  }

  /* A list of the columns to sort by, in place of the headings. */
  function sorting(table, head, labels) {
    const box = table.closest(".table");
    if (!box || table.tBodies[0].rows.length < 6 || box.querySelector(".sorting") || !head.every((th) => th.querySelector("button"))) return;
    const label = document.createElement("label"), select = document.createElement("select");
    label.className = "sorting";
    label.append(say("Sort by"), select);
    select.append(new Option("–", ""), ...labels.map((text, column) => new Option(text, column)));
    select.addEventListener("change", () => {
      const th = head[Number(select.value)], wanted = th && th.classList.contains("number") ? "descending" : "ascending";
      if (select.value === "") return;
      th.querySelector("button").click();
      if (th.getAttribute("aria-sort") !== wanted) th.querySelector("button").click();
    });
    table.closest(".scroll").before(label);
  }

  /* Makes cards of the rows that are none yet; to be called when rows were added. */
  function cards(table) {
    const first = [...table.tBodies].flatMap((body) => [...body.rows]).find((row) => !row.classList.contains("divider"));
    if (!narrow.matches || !first || !table.tHead) return;
    const head = [...table.tHead.rows[0].cells], labels = head.map((th) => th.textContent.trim());
    const places = placesOf(head, first);
    table.classList.add("cards");
    table.setAttribute("role", "table");
    [...table.tBodies].forEach((body) => { body.setAttribute("role", "rowgroup"); [...body.rows].forEach((row) => card(row, labels, places)); });
    sorting(table, head, labels);
  }

  const all = () => document.querySelectorAll(".scroll table").forEach(cards);
  narrow.addEventListener("change", all);
  report.cards = cards;
  all();
})();
