/* Views: what is chosen on a page, kept in the browser under a name, or copied as a link. */
(() => {
  "use strict";
  const say = report.say, KEPT = "cx-intel-views " + report.page.portfolio;
  const box = document.getElementById("filter-box"), after = document.querySelector(".question");
  if (!box && !report.accounts && !report.page.months) return;
  const tolerant = (act, otherwise) => { try { return act() ?? otherwise; } catch { return otherwise; } };
  const kept = () => tolerant(() => JSON.parse(localStorage.getItem(KEPT)), {});
  const keep = (views) => tolerant(() => { localStorage.setItem(KEPT, JSON.stringify(views)); return true; }, false);
  const here = () => location.pathname.split("/").pop() + location.search;
  const make = (tag, attributes, text) => { const element = document.createElement(tag); Object.assign(element, attributes); if (text) element.textContent = text; return element; };

  const form = make("form", { className: "filters views" }), label = make("label", {}, say("My views")), select = make("select", {});
  form.setAttribute("aria-label", say("My views"));
  const button = (text, act) => { const made = make("button", { type: "button", className: "quiet" }, text); made.addEventListener("click", () => act(made)); return made; };
  const name = make("input", { type: "text", maxLength: 60, autocomplete: "off" }), naming = make("label", { hidden: true }, say("Name of the view"));
  naming.append(name);
  const link = button(say("Copy the link"), (made) => report.copy([[location.href]], made));
  const save = button(say("Save as a view"), () => {
    if (naming.hidden) { naming.hidden = false; name.value = select.value; name.focus(); return; }
    store();
  });
  const remove = button(say("Remove the view"), () => {
    const { [select.value]: gone, ...rest } = kept();
    keep(rest);
    list();
    select.focus();
  });

  function store() {
    const called = name.value.trim();
    if (!called) { name.focus(); return; }
    const stored = keep({ ...kept(), [called]: here() });
    naming.hidden = true;
    list();
    save.textContent = stored ? say("Saved") : say("Saving is not allowed here");
    save.focus();
  }

  /* The views there are; the one that the page shows is picked. */
  function list() {
    const views = kept(), names = Object.keys(views).sort((a, b) => a.localeCompare(b));
    select.replaceChildren(new Option("–", ""), ...names.map((one) => new Option(one, one)));
    select.value = names.find((one) => views[one] === here()) || "";
    label.hidden = !names.length;
    remove.hidden = !select.value;
  }
  select.addEventListener("change", () => { if (kept()[select.value]) location.href = kept()[select.value]; else list(); });
  form.addEventListener("submit", (event) => { event.preventDefault(); if (!naming.hidden) store(); });
  name.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); naming.hidden = true; save.focus(); } });
  label.append(select);
  form.append(label, naming, save, remove, link);
  if (box) box.append(form); else after.after(form);
  report.addressed = () => { save.textContent = say("Save as a view"); list(); };
  list();
})();
