/* The filters of the dashboard: charts, figures and the list of interventions follow them. */
(() => {
  "use strict";
  const form = document.getElementById("filters");
  if (!form) return;
  const say = report.say, accounts = report.datasets.accounts, retention = report.page.retention;
  const original = new Map([...document.querySelectorAll(".kpi")].map((kpi) => [kpi, kpi.innerHTML]));
  const sum = (rows, name) => rows.reduce((total, row) => total + (row[name] || 0), 0);

  function figures(rows, picked) {
    for (const [kpi, html] of original) kpi.innerHTML = html;
    if (!Object.keys(picked).length) return;
    const segmentOnly = Object.keys(picked).length === 1 && picked.segment && retention[picked.segment];
    const arr = sum(rows, "arr"), exposed = sum(rows, "exposed");
    const rate = (name) => segmentOnly ? [report.percent(retention[picked.segment][name]), say("of the segment")] : ["–", say("not split by country or owner")];
    const values = {
      arr: [report.shortMoney(arr), say("of the selection")],
      customers: [report.number(sum(rows, "paying")), say("of the selection")],
      exposed_arr: [report.shortMoney(exposed), arr ? say("{share} of the ARR of the selection", { share: report.percent(100 * exposed / arr) }) : ""],
      priority_accounts: [report.number(sum(rows, "priority")), say("of the selection")],
      nrr: rate("nrr"),
      grr: rate("grr"),
    };
    for (const [kpi] of original) {
      const found = values[kpi.id.replace("kpi-", "")];
      kpi.querySelector(".value").textContent = found[0];
      kpi.querySelector(".of").textContent = found[1];
      kpi.querySelectorAll(".change").forEach((line) => line.remove());
    }
  }

  async function apply() {
    const picked = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
    const names = Object.keys(picked);
    const fits = (row) => names.every((name) => row[name] === picked[name]);
    const rows = accounts.filter(fits);
    figures(rows, picked);
    document.querySelectorAll("#calls tbody tr").forEach((row) => {
      row.dataset.out = names.every((name) => row.getAttribute("data-" + name) === picked[name]) ? "" : "yes";
    });
    const calls = document.getElementById("calls");
    if (calls) report.showTable(calls);
    document.getElementById("selection").textContent = names.length
      ? say("{n} of {all} customers", { n: report.number(rows.length), all: report.number(accounts.length) }) + (picked.country || picked.owner ? "; " + say("NRR and GRR are not split by country or owner") : "")
      : "";
    const segment = picked.segment || "all";
    await report.filter({
      accounts: (all) => all.filter(fits),
      retention_trend: (all) => all.filter((row) => row.segment === segment),
    });
    document.documentElement.dataset.filtered = JSON.stringify(picked);
  }
  report.ready.then(apply);
  form.addEventListener("change", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
})();
