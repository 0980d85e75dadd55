// What the protocol says of the check that was just saved: read back from the record, in order of
// what a nurse needs: how bad, what to do now, whom to call, when to look again, and why.

const verdicts = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".root");
  followTheme(root, parentElement);
  const shown = JSON.stringify(data);
  if (verdicts.get(root) === shown) return;
  const first = !verdicts.has(root);
  verdicts.set(root, shown);
  root.replaceChildren(verdictNode(data, (kind, flapId) =>
    setTriggerValue("action", { kind, flap_id: flapId })));
  if (first) {
    const heading = root.querySelector("h1");
    heading.focus({ preventScroll: true });
    document.querySelector('[data-testid="stMain"]')?.scrollTo({ top: 0 });
  }
}

function verdictNode(data, send) {
  const shape = el("span", { class: "shape" }, icon(SEVERITY_SHAPES[data.severity], 40, "0 0 32 32"));
  return el("section", { class: `verdict ${data.severity}`, "aria-label": "Saved check" },
    el("header", {}, shape,
      el("div", {},
        el("h1", { tabindex: "-1", text: data.title }),
        el("p", { class: "who", text: data.who }),
        el("p", { class: "dim", text: data.saved }))),
    ...data.marks.map((text) => el("p", { class: "mark" }, warningIcon(18), el("span", { text }))),
    listOf("Do now", data.do_now, "ol"),
    data.call ? el("div", { class: "call" }, el("h2", { text: "Call" }), el("p", { text: data.call })) : null,
    el("div", { class: "next" }, el("h2", { text: "Look again" }), el("p", { text: data.due })),
    data.findings.length
      ? el("div", { class: "found" }, el("h2", { text: "What was found" }),
          el("ul", { role: "list" }, ...data.findings.map(findingNode)))
      : null,
    data.alerts.length ? listOf("Who has it", data.alerts, "ul") : null,
    data.unanswered
      ? el("p", { class: "dim", text: data.unanswered })
      : null,
    el("p", { class: "dim", text: data.protocol }),
    el("div", { class: "acts" }, ...data.actions.map((action, index) =>
      el("button", {
        class: index === 0 ? "button primary" : "button", type: "button", text: action.label,
        onclick: () => send(action.kind, action.flap_id),
      }))));
}

function listOf(title, items, tag) {
  if (!items.length) return null;
  return el("div", { class: "list" }, el("h2", { text: title }),
    el(tag, {}, ...items.map((text) => el("li", { text }))));
}

function findingNode(found) {
  return el("li", { class: `finding ${found.severity}` },
    el("span", { class: "shape" }, icon(SEVERITY_SHAPES[found.severity], 22, "0 0 32 32")),
    el("div", {},
      el("p", {}, el("b", { text: `${found.word} ` }), found.because),
      el("p", { class: "dim", text: found.rule })));
}
