// Whose flap it is and how it stands now. Also tells the page whether the screen is narrow, so
// that the picture of the stay can be drawn for it.

const NARROW = 640;
const heads = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".root");
  followTheme(root, parentElement);
  const known = heads.get(root) ?? { shown: null, narrow: false };
  heads.set(root, known);
  const narrow = root.getBoundingClientRect().width < NARROW;
  if (narrow !== known.narrow) {
    known.narrow = narrow;
    setStateValue("narrow", narrow);
  }
  const shown = JSON.stringify(data);
  if (known.shown === shown) return;
  known.shown = shown;
  root.replaceChildren(el("section", { class: "head-card", "aria-label": "Patient and flap" },
    identityNode(data), stateNode(data)));
}

function identityNode(data) {
  const born = whole(`born ${data.born}`);
  return el("div", { class: "identity" },
    el("h1", { text: data.name }),
    el("p", { text: `${whole(`MRN ${data.mrn}`)} · ${born} · ${whole(data.bed)}` }),
    el("p", { class: "flap", text: `${data.label} · ${whole(data.hours)}` }),
    data.namesake ? el("p", { class: "namesake" }, warningIcon(18), data.namesake) : null,
    el("p", { class: "dim", text: data.protocol }));
}

function stateNode(data) {
  const under = [data.pattern, data.since].filter(Boolean).join(" · ");
  return el("div", { class: "state", "data-severity": data.severity },
    el("header", {},
      el("span", { class: "shape" }, icon(SEVERITY_SHAPES[data.severity], 34, "0 0 32 32")),
      el("div", {}, el("b", { text: data.word }), el("span", { class: "dim", text: under }))),
    el("p", { class: "why" }, ...data.why.map(({ text, strong }) =>
      strong ? el("strong", { text }) : el("span", { text }))),
    data.note ? el("p", { text: data.note }) : null,
    data.plan ? el("p", { class: data.plan_has ? "plan has" : "plan", text: data.plan }) : null,
    el("p", { class: "times dim" }, el("span", { text: data.last }), el("span", { text: data.due })));
}
