/* Two days whose scores are compared in the table of accounts: the change of each, and who rose and who fell. */
(() => {
  "use strict";
  const say = report.say, { all, make, arrange, find, asked, state } = report.accounts;
  const days = Object.entries(report.page.axes.days).map(([week, [day, words]]) => ({ week: Number(week), day, words })).sort((a, b) => a.week - b.week);
  const form = document.getElementById("find"), told = document.getElementById("compared"), MOVED = 1;
  const published = all.map((row) => row.change);
  const of = (day) => days.find((one) => one.day === day);
  report.accounts.compared = null;
  if (days.length < 2) return;

  const choice = (name, label, options) => {
    const wrapped = make("label", label), select = make("select", undefined, { name });
    select.append(...options);
    wrapped.append(select);
    select.addEventListener("change", () => compare(true));
    form.querySelector("button[type=reset]").before(wrapped);
    return select;
  };
  const to = choice("to", say("Score of"), days.slice(0, -1).map(({ day, words }) => new Option(words, day)));
  const from = choice("from", say("against that of"), [new Option(say("a week before"), ""), ...days.slice(1).map(({ day, words }) => new Option(words, day))]);
  const isSet = () => from.value !== "" || to.value !== days[0].day;

  /* Score and tier of an account on a day; null where it has none. */
  function on(found, week) {
    const [weeks, scores, tiers] = found.score || [[], [], []], place = weeks.indexOf(week);
    return place < 0 ? null : { score: scores[place], tier: report.page.axes.tiers[tiers[place]] };
  }

  let asking = 0;
  async function compare(isNew) {
    const mine = ++asking;
    if (isSet() && from.value === "") from.value = days.find(({ week }) => week > of(to.value).week)?.day || "";
    const [first, last] = [of(from.value), of(to.value)], isOrdered = first && last && first.week > last.week;
    told.hidden = !isSet();
    if (!isSet() || !isOrdered) {
      told.textContent = isSet() ? say("The day compared with must lie before the other one.") : "";
      all.forEach((row, place) => { row.change = published[place]; });
      report.accounts.compared = null;
    } else {
      told.textContent = say("Comparing …");
      for (let place = 0; place < all.length; place++) {
        const found = await report.accounts.detail(place), then = on(found, first.week), now = on(found, last.week);
        if (mine !== asking) return;
        Object.assign(all[place], {
          change: then && now ? now.score - then.score : null, tier_then: then && then.tier, tier_since: now && now.tier, had: then && then.score, has: now && now.score,
        });
      }
      const tier = (name, day) => ({ name, label: say("Tier on {day}", { day: day.words }), kind: "text", sort: name, written: "level", rank: "tier" });
      report.accounts.compared = {
        label: last === days[0] ? say("Since {day}", { day: first.words }) : say("{from} to {to}", { from: first.words, to: last.words }),
        columns: [tier("tier_then", first), ...(last === days[0] ? [] : [tier("tier_since", last)])],
      };
      if (isNew) Object.assign(state, { sort: "change", ascending: true });
    }
    arrange();
    find();
  }

  report.accounts.tell = (found) => {
    if (!report.accounts.compared) return;
    const both = found.map((place) => all[place]).filter((row) => row.change !== null), mean = (name) => report.number(both.reduce((sum, row) => sum + row[name], 0) / both.length, 1);
    told.textContent = !both.length ? say("None of these accounts has a score on both days.") : say(
      "From {from} to {to}: {up} rose by a point or more, {down} fell by that, {tiers} came to another tier; the mean went from {then} to {now}, of {n} accounts with a score on both days.",
      {
        from: of(from.value).words, to: of(to.value).words, n: report.number(both.length), then: mean("had"), now: mean("has"),
        up: report.number(both.filter((row) => row.change >= MOVED).length), down: report.number(both.filter((row) => row.change <= -MOVED).length),
        tiers: report.number(both.filter((row) => row.tier_then !== row.tier_since).length),
      });
  };
  report.accounts.days = () => isSet() ? { from: from.value, to: to.value === days[0].day ? "" : to.value } : {};
  form.addEventListener("reset", () => setTimeout(() => compare(false)));
  if (of(asked("from"))) from.value = asked("from");
  if (of(asked("to")) && of(asked("to")) !== days[days.length - 1]) to.value = asked("to");
  if (isSet()) compare(!asked("sort"));
})();
