// The console: asks /status every two seconds and writes what it says into the page. Numbers are written as they are told, rates are
// differences of totals. Explanations are drawn by explanation.js.
"use strict";

const EVERY = 2000;                                   // milliseconds between two questions
const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const percent = new Intl.NumberFormat("en", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const sum = (list, of) => list.reduce((total, one) => total + of(one), 0);

/** So long ago, in words. */
function ago(seconds) {
  if (seconds < 90) return Math.max(0, Math.round(seconds)) + " s";
  if (seconds < 5400) return Math.round(seconds / 60) + " min";
  return seconds < 172800 ? Math.round(seconds / 3600) + " h" : Math.round(seconds / 86400) + " days";
}

function write(id, text) {
  const place = byId(id);
  if (place.textContent !== text) place.textContent = text;
}

/** A word of the contract may be broken after an underscore. */
function breakable(text) {
  return String(text).split(/(?<=_)/).flatMap((part, index) => index ? [element("wbr"), part] : [part]);
}

/** The rows of a table; a cell is a text, a number, or an element. */
function rows(id, all, empty) {
  const body = byId(id).tBodies[0], columns = [...byId(id).tHead.rows[0].cells];
  const cell = (value, index) => {
    if (value instanceof Node) return element("td", { class: "long" }, value);
    const text = typeof value === "number" ? number.format(value) : value;
    if (index === 0) return element("th", { scope: "row" }, breakable(text));
    return element("td", { class: columns[index].className || null }, breakable(text));
  };
  body.replaceChildren(...(all.length ? all.map((row) => element("tr", {}, row.map(cell)))
    : [element("tr", {}, element("td", { colspan: columns.length, class: "empty" }, empty))]));
}

/** Bars: a name, a count, and its share of the largest. */
function bars(id, all, empty) {
  const most = Math.max(1, ...all.map((one) => one.count));
  byId(id).replaceChildren(...(all.length ? all.map((one) => {
    const bar = element("li", {}, element("span", {}, breakable(one.name)), element("span", {}, number.format(one.count) + (one.more ? " · " + one.more : "")));
    bar.style.setProperty("--share", (100 * one.count / most).toFixed(2) + "%");
    return bar;
  }) : [element("li", { class: "empty" }, empty)]));
}

/** Counts of a list by a key, the largest first. */
function grouped(list, key) {
  const counts = new Map();
  for (const one of list) counts.set(key(one), (counts.get(key(one)) || 0) + one.count);
  return [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count);
}

// What was told last, and the totals over time, oldest first: {at, records, qualified, unqualified, dead_letters}.
let samples = [], chart = null, started = null;

/** The qualification rate leaves out leads that nobody could have qualified: tests, and who asked not to be contacted. */
function qualification(status, of) {
  const qualified = sum(status.leads.filter((one) => of(one) && one.verdict === "QUALIFIED"), (one) => one.count);
  const all = sum(status.qualifiable.filter(of), (one) => one.count);
  return all > 0 ? qualified / all : null;
}

function rates(points) {
  return points.slice(1).map((point, index) => {
    const before = points[index], seconds = (point.at - before.at) / 1000;
    const rate = (what) => seconds > 0 ? Math.max(0, point[what] - before[what]) / seconds : 0;
    return { at: point.at, qualified: rate("qualified"), unqualified: rate("unqualified"), dead_letters: rate("dead_letters") };
  });
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function draw() {
  const all = rates(samples), place = byId("chart");
  const data = [all.map((one) => one.at / 1000), all.map((one) => one.qualified), all.map((one) => one.unqualified), all.map((one) => one.dead_letters)];
  if (chart) {
    chart.setData(data);
  } else if (all.length) {
    const line = (label, name, dash) => ({ label, stroke: colour(name), width: 2, dash, points: { show: false }, value: (_, value) => value === null ? "–" : short.format(value) });
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
    chart = new uPlot({
      width: place.clientWidth || 300, height: 220,
      series: [{ label: "time" }, line("qualified / s", "--qualified"), line("unqualified / s", "--unqualified", [6, 3]), line("dead letters / s", "--dead", [2, 3])],
      axes: [axis, { ...axis, size: 60 }], scales: { y: { range: (_, low, high) => [0, Math.max(1, high * 1.1)] } },
    }, data, place);
  }
  const last = all.slice(-12).reverse();
  rows("chart-table", last.map((one) => [new Date(one.at).toLocaleTimeString(), short.format(one.qualified), short.format(one.unqualified), short.format(one.dead_letters)]), "nothing yet");
}

/** A chart takes its colours and its width when it is made. */
function redraw() {
  if (chart) chart.destroy();
  chart = null;
  draw();
}

function notices(status) {
  const told = [...status.missing.map((text) => ["bad", text]), ...status.warnings.map((text) => ["wait", text])];
  if (status.counts.unaccounted > 0) told.unshift(["bad", status.counts.unaccounted + " records without exactly one outcome: leadstream verify tells which"]);
  const list = byId("notices"), before = [...list.children].map((item) => item.textContent).join("\n");
  list.hidden = told.length === 0;
  if (before !== told.map(([, text]) => text).join("\n")) list.replaceChildren(...told.map(([kind, text]) => element("li", { class: kind }, text)));
}

function stream(status, now) {
  const partitions = status.lanes.flatMap((lane) => lane.partitions), counts = status.counts;
  const behind = partitions.filter((one) => one.lag_records !== null);
  write("lag", behind.length ? number.format(sum(behind, (one) => one.lag_records)) : "–");
  write("lag-more", behind.length ? "the oldest " + ago(Math.max(...behind.map((one) => one.lag_seconds))) + ", " + partitions.length + " partitions" : "no partition read yet");
  const rate = qualification(status, () => true);
  write("qualification", rate === null ? "–" : percent.format(rate));
  write("dead", number.format(counts.dead_letters));
  write("dead-more", counts.records ? percent.format(counts.dead_letters / counts.records) + " of " + number.format(counts.records) + " records" : "no record yet");
  write("unaccounted", number.format(counts.unaccounted));
  byId("unaccounted").classList.toggle("bad", counts.unaccounted > 0);
  const last = samples[samples.length - 1], first = samples.find((one) => one.at >= now - 15000) || samples[0];
  const recent = last && first.at < last.at ? rates([first, last])[0] : null;
  write("rate", recent ? short.format(recent.qualified + recent.unqualified) : "–");
  write("rate-more", number.format(counts.leads) + " since " + new Date(status.started).toLocaleString());
}

function leads(status) {
  const counts = status.counts;
  const of = (part, whole) => whole ? percent.format(part / whole) : "";
  bars("funnel", [
    { name: "records read", count: counts.records }, { name: "leads decided", count: counts.leads },
    { name: "qualified", count: counts.qualified, more: of(counts.qualified, counts.leads) + " of leads" },
    { name: "unqualified", count: counts.unqualified, more: of(counts.unqualified, counts.leads) + " of leads" },
    { name: "routing events", count: counts.routed },
    { name: "dead letters", count: counts.dead_letters, more: of(counts.dead_letters, counts.records) + " of records" },
  ].map((one) => one.count ? one : { ...one, more: undefined }));
  bars("reasons", grouped(status.reasons, (one) => one.reason), "no lead was refused yet");
  const seen = new Set(), told = [];
  for (const one of status.leads) {
    const key = one.storefront + "/" + one.campaign;
    if (seen.has(key)) continue;
    seen.add(key);
    const same = (other) => other.storefront === one.storefront && other.campaign === one.campaign;
    const here = status.leads.filter(same), rate = qualification(status, same);
    told.push([one.storefront, one.campaign, sum(here, (other) => other.count),
      sum(here.filter((other) => other.verdict === "QUALIFIED"), (other) => other.count), rate === null ? "–" : percent.format(rate)]);
  }
  rows("storefronts", told, "no lead yet");
  rows("routes", [...status.routes].sort((a, b) => b.count - a.count).map((one) => [one.destination, one.storefront, one.count]), "no routing event yet");
}

function lanes(status, now) {
  rows("lane-table", status.lanes.map((lane) => [
    String(lane.lane), element("span", { class: "pill " + ({ running: "good", halted: "bad", stuck: "bad" }[lane.state] || "wait") }, lane.state),
    lane.partitions.length, lane.last_commit ? ago((now - Date.parse(lane.last_commit)) / 1000) + " ago" : "none yet",
    element("span", {}, lane.halted || (lane.last_error ? lane.last_error.error + ", " + ago((now - Date.parse(lane.last_error.at)) / 1000) + " ago" : "none")),
  ]), "no lane has started yet");
  const all = status.lanes.flatMap((lane) => lane.partitions.map((one) => ({ ...one, lane: lane.lane })));
  all.sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition);
  const told = (value) => value === null ? "–" : number.format(value);
  rows("partition-table", all.map((one) => [one.topic + "/" + one.partition, one.lane, told(one.next_offset), told(one.end_offset), told(one.lag_records),
    one.lag_seconds === null ? "–" : ago(one.lag_seconds), element("span", {}, one.halted || (one.next_offset === null ? "joining" : "reads"))]), "no partition yet");
}

function rules(status) {
  const ruleset = status.ruleset, canary = status.canary, shadows = status.shadows;
  const pair = (name, value) => [element("dt", {}, name), element("dd", {}, value)];
  byId("ruleset").replaceChildren(...pair("live", ruleset.name + "/" + ruleset.version).concat(pair("content", element("code", {}, ruleset.hash.slice(0, 12)))));
  const told = [];
  if (canary) {
    const side = (name, judged) => name + " " + number.format(judged.leads) + " leads" + (judged.rate === null ? "" : ", " + percent.format(judged.rate) + " qualified");
    told.push(element("p", {}, element("span", { class: "pill " + (canary.stopped ? "bad" : "good") }, canary.stopped ? "canary stopped" : "canary"), " ",
      element("b", {}, canary.ruleset.label), " decides " + short.format(canary.percent) + " % of leads · " + side("live", canary.decided.live) + " · "
      + side("canary", canary.decided.canary) + (canary.stopped ? " · " + canary.stopped : "")));
  }
  for (const candidate of (shadows && shadows.candidates) || []) {
    const changes = Object.entries(candidate.verdicts || {}).filter(([, count]) => count > 0).map(([what, count]) => what.replace("->", " → ") + " " + number.format(count));
    const routes = Object.entries(candidate.routes || {}).filter(([, count]) => count > 0).map(([what, count]) => "routes " + what + " " + number.format(count));
    told.push(element("p", {}, element("span", { class: "pill wait" }, "shadow"), " ", element("b", {}, candidate.ruleset.label), " " + number.format(candidate.leads) + " leads compared: "
      + ([...changes, ...routes].join(", ") || "no decision would change")));
  }
  byId("trials").replaceChildren(...(told.length ? told : [element("p", { class: "soft" }, "Nothing is on trial: no canary, no shadow.")]));
}

function deadLetters(status, now) {
  rows("codes", [...status.dead_letters].sort((a, b) => b.count - a.count).map((one) => [one.code, one.stage, one.count]), "none");
  rows("last", status.last_dead_letters.slice(0, 10).map((one) => [one.position, one.code, ago((now - Date.parse(one.at)) / 1000) + " ago"]), "none");
}

function show(status) {
  const now = Date.parse(status.now);                 // the process's clock: the viewer's may differ
  const state = byId("state");
  write("state", status.ready ? "ready" : "not ready");
  state.className = "pill " + (status.ready ? "good" : "bad");
  write("identity", "version " + status.version + " · rules " + status.ruleset.name + "/" + status.ruleset.version);
  if (started !== null && started !== status.started) { samples = []; answered = null; }   // another process: its totals begin anew
  started = status.started;
  if (status.history) samples = status.history.samples.map((one) => ({ ...one, at: Date.parse(one.at) }));
  const last = samples[samples.length - 1];
  if (!last || now - last.at >= 5000) samples.push({ at: now, ...status.counts });
  samples = samples.slice(-360);
  notices(status);
  stream(status, now);
  leads(status);
  lanes(status, now);
  rules(status);
  deadLetters(status, now);
  draw();
  write("as-of", new Date(now).toLocaleTimeString());
}

let asking = false, answered = null;

/** One question at a time, and none is waited for for long: a process that hangs looks like one that is gone. */
async function ask() {
  if (asking) return;
  asking = true;
  const since = performance.now();
  try {
    const fresh = answered !== null && since - answered < 4 * EVERY;
    const answer = await fetch(fresh && samples.length ? "/status" : "/status?history", { cache: "no-store", signal: AbortSignal.timeout(4000) });
    if (!answer.ok) throw new Error(answer.status);
    show(await answer.json());
    answered = since;
  } catch {
    write("state", answered === null ? "no answer" : "no answer for " + ago((performance.now() - answered) / 1000));
    byId("state").className = "pill bad";
  }
  asking = false;
}

async function explain(event) {
  event.preventDefault();
  const place = byId("explanation"), button = event.submitter || event.target.querySelector("button");
  const format = byId("format").value;
  button.disabled = true;
  try {
    const answer = await fetch("/explain", { method: "POST", body: byId("raw").value, headers: format ? { "lead-format": format } : {} });
    if (answer.ok) explanations.show(await answer.json(), place);
    else place.replaceChildren(element("p", { class: "notice bad" }, await answer.text()));
  } catch {
    place.replaceChildren(element("p", { class: "notice bad" }, "leadstream does not answer."));
  }
  button.disabled = false;
  place.focus({ preventScroll: true });
}

byId("explain-form").addEventListener("submit", explain);
byId("example").addEventListener("click", () => {
  byId("raw").value = JSON.stringify({
    userDetails: { firstName: "Ada", lastName: "Example", email: "ada@bakery.example", phone: "+1 425 555 0100", country: "US", company: "Bakery", title: "CTO" },
    leadSource: "SPZA-PLT|bakery.app", actionCode: "PLT", offerTitle: "Bakery App", description: "Please call me",
  }, null, 2);
  byId("raw").focus();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new ResizeObserver(() => { if (chart && Math.abs(chart.width - byId("chart").clientWidth) > 1) redraw(); }).observe(byId("chart"));
document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
setInterval(() => { if (!document.hidden) ask(); }, EVERY);
ask();
