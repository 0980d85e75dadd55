// Shared by both components: nodes are made here, and text only ever arrives as textContent.

const SVG_NS = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const el = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);

const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG_NS, tag), attributes, children);

/** Writing the same text again would disturb selections and screen readers. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setAttribute(node, name, value) {
  if (value === null || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

function icon(paths, size = 20, viewBox = "0 0 24 24") {
  const shapes = paths.map(([tag, attributes]) => svg(tag, attributes));
  const frame = { viewBox, width: size, height: size, "aria-hidden": "true", focusable: "false" };
  return svg("svg", frame, ...shapes);
}

const LINE = {
  fill: "none", stroke: "currentColor", "stroke-width": 2,
  "stroke-linecap": "round", "stroke-linejoin": "round",
};

const warningIcon = (size = 18) =>
  icon([["path", { ...LINE, d: "M12 3.5 22 20.5H2zM12 10v4.5M12 17.4v.1" }]], size);

/** Relative luminance under one half of the scale means Streamlit shows its dark theme. */
function isDark(colour) {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = colour || "#ffffff";
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128;
}

function followTheme(root, parentElement) {
  const host = parentElement.host ?? parentElement;
  const ground = getComputedStyle(host).getPropertyValue("--st-background-color").trim();
  setAttribute(root, "data-theme", isDark(ground) ? "dark" : "light");
}

/** Streamlit's own header lies over the scrolled page: what sticks must stick below it. */
function stickBelowHeader(root) {
  const header = document.querySelector('[data-testid="stHeader"]');
  const scroller = document.querySelector('[data-testid="stMain"]');
  const covered = header && scroller
    ? header.getBoundingClientRect().bottom - scroller.getBoundingClientRect().top
    : 0;
  root.style.setProperty("--top", `${Math.max(0, Math.round(covered))}px`);
}

/** Milliseconds since a moment, by the clock that ran further: the wall clock counts through
 * sleep, the steady one through a clock that was set back. */
const moment = () => ({ wall: Date.now(), steady: performance.now() });
const since = (then) => Math.max(Date.now() - then.wall, performance.now() - then.steady);
