// What was done, read back from the record.

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".root");
  followTheme(root, parentElement);
  if (root.dataset.shown === JSON.stringify(data)) return;
  root.dataset.shown = JSON.stringify(data);
  root.replaceChildren(el("div", { class: "notice", role: "status" },
    el("b", { text: data.title }), el("p", { text: data.text })));
}
