/* Downloads beside each table (CSV, XLSX) and chart (PNG, CSV), made in the page itself, so that they work from a file. */
(() => {
  "use strict";
  const say = report.say, page = report.page;
  const BOM = "\ufeff";
  const nameOf = (title, ending) => [page.portfolio, page.asOf, title].join(" ").replace(/[^\p{L}\p{N}.-]+/gu, "_").slice(0, 120) + "." + ending;

  function save(parts, type, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(parts, { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  /* CSV: texts that a spreadsheet would run are kept as text, as in the exports. */
  function csv(rows) {
    const field = (value) => { const text = typeof value === "number" ? String(value) : report.guarded(String(value ?? "")); return /[",\r\n;]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text; };
    return BOM + rows.map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
  }

  /* XLSX: one sheet, its texts inline, in a ZIP whose parts are stored as they are. */
  const escaped = (text) => String(text).replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd").replace(/[&<>"]/g, (c) => "&#" + c.charCodeAt(0) + ";");
  const column = (place) => (place >= 26 ? column(Math.floor(place / 26) - 1) : "") + String.fromCharCode(65 + place % 26);
  function sheet(rows) {
    const widths = rows[0].map((_, place) => Math.min(60, Math.max(8, ...rows.map((row) => String(row[place] ?? "").length + 2))));
    const cell = (value, line, place) => value === null || value === undefined || value === "" ? ""
      : typeof value === "number" ? `<c r="${column(place)}${line + 1}"><v>${value}</v></c>`
      : `<c r="${column(place)}${line + 1}" t="inlineStr" s="${line === 0 ? 1 : 2}"><is><t xml:space="preserve">${escaped(value)}</t></is></c>`;
    return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>${widths.map((width, place) => `<col min="${place + 1}" max="${place + 1}" width="${width}" customWidth="1"/>`).join("")}</cols><sheetData>${rows.map((row, line) => `<row r="${line + 1}">${row.map((value, place) => cell(value, line, place)).join("")}</row>`).join("")}</sheetData><pageSetup paperSize="9" orientation="landscape"/></worksheet>`;
  }
  const office = "http://schemas.openxmlformats.org/";
  const FIXED = {
    "[Content_Types].xml": `<Types xmlns="${office}package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>`,
    "_rels/.rels": `<Relationships xmlns="${office}package/2006/relationships"><Relationship Id="r1" Type="${office}officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    "xl/_rels/workbook.xml.rels": `<Relationships xmlns="${office}package/2006/relationships"><Relationship Id="r1" Type="${office}officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="${office}officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`,
    "xl/styles.xml": `<styleSheet xmlns="${office}spreadsheetml/2006/main"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf xfId="0"/><xf xfId="0" fontId="1" applyFont="1" numFmtId="49" quotePrefix="1"/><xf xfId="0" numFmtId="49" quotePrefix="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`,
  };
  const CRC = Uint32Array.from({ length: 256 }, (_, n) => { for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1; return n >>> 0; });
  const checksum = (bytes) => { let found = 0xffffffff; for (const byte of bytes) found = (found >>> 8) ^ CRC[(found ^ byte) & 255]; return (found ^ 0xffffffff) >>> 0; };
  const little = (...pairs) => { const out = []; for (const [value, size] of pairs) for (let i = 0; i < size; i++) out.push((value >>> (8 * i)) & 255); return out; };

  /* The parts of a ZIP file; its date is the first that a ZIP can hold. */
  function zip(files) {
    const parts = [], entries = [];
    let at = 0, listed = 0;
    for (const [name, text] of Object.entries(files)) {
      const encoded = new TextEncoder().encode(name), bytes = new TextEncoder().encode(text), sum = checksum(bytes);
      const shared = little([20, 2], [0x800, 2], [0, 2], [0, 2], [33, 2], [sum, 4], [bytes.length, 4], [bytes.length, 4], [encoded.length, 2], [0, 2]);
      const head = Uint8Array.from([...little([0x04034b50, 4]), ...shared, ...encoded]);
      const entry = Uint8Array.from([...little([0x02014b50, 4], [20, 2]), ...shared, ...little([0, 2], [0, 2], [0, 2], [0, 4], [at, 4]), ...encoded]);
      parts.push(head, bytes);
      entries.push(entry);
      at += head.length + bytes.length;
      listed += entry.length;
    }
    const count = entries.length;
    return [...parts, ...entries, Uint8Array.from(little([0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [listed, 4], [at, 4], [0, 2]))];
  }
  function xlsx(rows, title) {
    const named = escaped(title.replace(/[[\]:*?/\\']/g, " ").trim().slice(0, 31) || "1");
    return zip({ ...FIXED, "xl/workbook.xml": `<workbook xmlns="${office}spreadsheetml/2006/main" xmlns:r="${office}officeDocument/2006/relationships"><sheets><sheet name="${named}" sheetId="1" r:id="r1"/></sheets></workbook>`, "xl/worksheets/sheet1.xml": sheet(rows) });
  }
  const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

  function button(label, name, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "quiet";
    made.textContent = label;
    made.setAttribute("aria-label", say("{form} of: {name}", { form: label, name }));
    made.addEventListener("click", act);
    return made;
  }
  /* Buttons that save rows, the first being the headings. */
  function rowButtons(title, rows, now = () => title) {
    return [
      button("CSV", title, () => save([csv(rows())], "text/csv;charset=utf-8", nameOf(now(), "csv"))),
      button("XLSX", title, () => save(xlsx(rows(), now()), XLSX, nameOf(now(), "xlsx"))),
    ];
  }

  /* What a cell holds: the number or day that it sorts by where it has one, else its text. */
  function valueOf(cell) {
    const sort = cell.dataset.sort, text = cell.textContent.replace(/\s+/g, " ").trim();
    if (sort !== undefined && sort !== "" && cell.classList.contains("number")) return Number.isNaN(Number(sort)) ? sort : Number(sort);
    return text === page.formats.missing ? "" : text;
  }
  function rowsOf(table) {
    const body = [...table.querySelectorAll("tbody tr:not(.divider)")].filter((row) => row.dataset.out !== "yes");
    return [[...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim()), ...body.map((row) => [...row.cells].map(valueOf))];
  }

  async function picture(chart, title) {
    const scale = 2, pad = 20 * scale, head = 34 * scale, ground = getComputedStyle(document.body);
    const drawn = await chart.result.view.toCanvas(scale), canvas = document.createElement("canvas");
    canvas.width = Math.max(drawn.width, 320 * scale) + 2 * pad;
    canvas.height = drawn.height + head + 2 * pad + 18 * scale;
    const pen = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
    pen.fillStyle = style.getPropertyValue("--panel");
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = style.getPropertyValue("--text");
    pen.font = `600 ${15 * scale}px ${ground.fontFamily}`;
    pen.fillText(title, pad, pad + 14 * scale, canvas.width - 2 * pad);
    pen.drawImage(drawn, pad, pad + head);
    pen.fillStyle = style.getPropertyValue("--muted");
    pen.font = `${11 * scale}px ${ground.fontFamily}`;
    pen.fillText(page.portfolio + ", " + document.querySelector(".when").textContent.trim(), pad, canvas.height - pad / 2, canvas.width - 2 * pad);
    canvas.toBlob((blob) => save([blob], "image/png", nameOf(title, "png")), "image/png");
  }
  /* Rows of a chart as its tooltips name them; none where a chart counts in itself. */
  function chartRows(chart) {
    const layers = [chart.spec, ...(chart.spec.layer || [])], told = layers.map((layer) => layer.encoding && layer.encoding.tooltip).find(Array.isArray);
    const rows = chart.current || chart.rows[chart.reads[0]] || [];
    if (!told || !rows.length || !told.every((line) => line.field in rows[0])) return null;
    return [told.map((line) => line.title || line.field), ...rows.map((row) => told.map((line) => row[line.field]))];
  }

  document.querySelectorAll("[data-table]").forEach((box) => {
    const table = box.querySelector("table");
    /* A file of a table that is cut says so in its name; it is named after what the table shows when it is saved. */
    const title = () => {
      const rows = table.querySelectorAll("tbody tr:not(.divider)").length;
      const cut = box.dataset.of ? ", " + say("the first {n} of {all} rows", { n: rows, all: box.dataset.of }) : "";
      return table.caption.textContent.trim().slice(0, cut ? 60 : 120) + cut;
    };
    box.querySelector("[data-copy]").after(" ", ...rowButtons(title(), () => rowsOf(table), title).flatMap((made) => [made, " "]));
  });
  report.ready.then(() => report.charts.forEach((chart) => {
    const panel = document.getElementById("panel-" + chart.id);
    if (!panel || !chart.result) return;
    const title = () => panel.querySelector("h3").textContent.trim(), line = document.createElement("div");
    line.className = "under saving";
    line.append(button("PNG", title(), () => picture(chart, title())));
    if (chartRows(chart)) line.append(" ", button("CSV", title(), () => save([csv(chartRows(chart))], "text/csv;charset=utf-8", nameOf(title(), "csv"))));
    panel.append(line);
  }));
  report.rowButtons = rowButtons;
})();
