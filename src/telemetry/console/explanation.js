// One explanation, as `explain --json` tells it, as a tree to read. Everything is written as text: nothing that was pasted is markup.
"use strict";

/** An element with attributes and children; a text child stays text. */
function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return made;
}

const explanations = (() => {
  const pill = (word) => element("span", { class: "pill " + (word === "QUALIFIED" ? "good" : word === "REJECTED" ? "bad" : "wait") }, word);
  const branch = (title, ...inside) => element("li", {}, element("strong", {}, title), ...inside);

  /** Pairs of a name and a value, without those that have none. */
  function pairs(list) {
    const told = list.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== "UNKNOWN");
    return element("dl", { class: "pairs" }, told.map(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]));
  }

  /** What a condition compares and what the lead has there, down to the smallest part. */
  function compared(weighed) {
    if (weighed.parts && weighed.parts.length) return weighed.parts.flatMap(compared);
    return (weighed.values || []).map((value) => value.field + " is " + value.is);
  }

  function rule(weighed, name, held, more) {
    const values = [...new Set(compared(weighed))];
    return element("li", { class: "rule" + (held ? " holds" : "") },
      element("span", { class: "sign" }, held ? "holds" : "does not"), " ", element("b", {}, name), more ? " " + more : "", " ",
      element("code", {}, weighed.when), values.length ? element("span", { class: "soft" }, " · " + values.join(", ")) : null);
  }

  /** Those that hold stand open; the others are behind a word. */
  function rules(all, shown) {
    const held = all.filter((one) => one.held), others = all.filter((one) => !one.held);
    const list = (some) => element("ul", {}, some.map((one) => rule(one, ...shown(one))));
    return [
      held.length ? list(held) : element("p", { class: "soft" }, "none holds"),
      others.length ? element("details", {}, element("summary", {}, others.length + (others.length === 1 ? " other that does not" : " others that do not")), list(others)) : null,
    ];
  }

  function wanted(needs) {
    return element("ul", {}, needs.map((need) => element("li", { class: "rule" }, element("code", {}, need.want),
      element("span", { class: "soft" }, " · " + (need.values || []).map((value) => value.field + " is " + value.is).join(", ")))));
  }

  function nearest(near) {
    const gates = near.gates.map((gate) => element("li", {}, "gate " + gate.gate + " (" + gate.reason + "): ",
      gate.would_need ? wanted(gate.would_need) : "holds for every lead"));
    const score = near.score ? [element("li", {}, near.score.points + " more points to reach " + near.score.threshold, near.score.rules.map((gained) =>
      element("div", { class: "rule" }, (gained.points > 0 ? "+" : "") + gained.points + " by " + gained.rule + (gained.enough ? ", enough alone" : ""), wanted(gained.would_need))))] : [];
    return branch("What would qualify it", element("ul", {}, gates, score));
  }

  function lead(lead, trace) {
    const contact = lead.contact || {}, score = lead.score || {};
    const routes = lead.routes || [];
    return element("article", { class: "lead", "aria-label": "Lead " + (lead.source ? lead.source.index : "") },
      element("p", {}, pill(lead.verdict), " ", element("b", {}, "score " + score.total), " (fit " + score.fit + ", intent " + score.intent + "), grade " + score.grade
        + (lead.reasons && lead.reasons.length ? " · " + lead.reasons.join(", ") : "")),
      element("ul", { class: "tree" },
        branch("Read as " + (lead.source ? lead.source.format : "a lead"), pairs([
          ["name", [contact.first_name, contact.last_name].filter(Boolean).join(" ")],
          ["e-mail", contact.email], ["kind of e-mail", contact.email_kind], ["phone", contact.phone_e164 || contact.phone_raw],
          ["country", contact.country || contact.country_raw], ["region", contact.region], ["company", contact.company],
          ["title", contact.title], ["seniority", contact.seniority], ["source", lead.source_raw], ["action", lead.action_raw],
          ["offer", lead.offer_title], ["offer id", lead.offer_id], ["happened", lead.event_time], ["note", lead.note]])),
        branch("Concluded", element("dl", { class: "pairs" }, trace.classified.map((step) => [
          element("dt", {}, step.what), element("dd", {}, element("b", {}, step.value), element("span", { class: "soft" }, " " + step.because))])),
        lead.flags && lead.flags.length ? element("p", { class: "soft" }, "flags: " + lead.flags.join(", ")) : null),
        branch("Gates", rules(trace.gates, (gate) => [gate.id, gate.held, gate.held ? "→ " + gate.reason : ""])),
        branch("Score " + score.total + (score.total < trace.threshold ? ", below" : ", reaches") + " the threshold " + trace.threshold,
          rules(trace.score, (part) => [part.rule, part.held, (part.points > 0 ? "+" : "") + part.points + " " + part.part])),
        trace.campaigns.length ? branch("Campaigns", rules(trace.campaigns, (campaign) => [campaign.id, campaign.held, ""])) : null,
        branch(routes.length ? "Goes to" : "Goes to nobody",
          element("ul", {}, routes.map((route) => element("li", { class: "rule" }, element("b", {}, route.destination),
            [route.queue && "queue " + route.queue, route.owner && "owner " + route.owner, route.priority, route.first_touch_due && "first touch by " + route.first_touch_due,
              route.accept_due && "accept by " + route.accept_due].filter(Boolean).map((word) => " · " + word).join(""),
            element("span", { class: "soft" }, " by route " + route.route)))),
          trace.routes.length ? element("details", {}, element("summary", {}, "routes that were tried"), element("ul", {},
            trace.routes.map((route) => rule(route, route.id + " → " + route.destination, route.held, route.held && !route.won ? "(taken by an earlier one)" : "")))) : null),
        trace.would_qualify ? nearest(trace.would_qualify) : null));
  }

  /** Shows what came of a pasted record. */
  function show(explanation, into) {
    const rejection = explanation.rejection;
    const inside = rejection ? [element("div", { class: "lead" }, element("p", {}, pill("REJECTED"), " ", element("b", {}, rejection.code), " in " + rejection.stage),
      element("p", {}, rejection.detail + (rejection.field ? " (at " + rejection.field + ")" : "")),
      element("p", { class: "soft" }, "Such a record goes to the dead-letter topic, its bytes untouched."))]
      : explanation.leads.map((one, index) => lead(one, explanation.trace.leads[index]));
    into.replaceChildren(...inside, element("details", {}, element("summary", {}, "All of it as JSON"), element("pre", { tabindex: "0" }, JSON.stringify(explanation, null, 2))));
  }

  return { show };
})();
