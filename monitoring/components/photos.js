// Photos in sequence, kept photo by photo through refreshes, so that focus and place stay. What is
// opened is decided here and shown at once from the small picture; the large one follows.

const albums = new WeakMap();
let presses = 0;

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".root");
  followTheme(root, parentElement);
  const album = albums.get(root) ?? makeAlbum(root);
  albums.set(root, album);
  album.send = (kind, key = "") => setTriggerValue("action", { kind, key, nonce: `${Date.now()} ${++presses}` });
  album.data = data;
  paintStrip(album);
  paintViewer(album);
}

function makeAlbum(root) {
  const album = { root, tiles: new Map(), opened: null };
  album.parts = {
    title: el("p", { class: "title dim" }),
    empty: el("p", { class: "empty dim" }),
    strip: el("ul", { class: "strip", role: "list", "aria-label": "Photos, newest first" }),
    earlier: el("button", {
      class: "button earlier", type: "button", onclick: () => album.send("earlier"),
    }),
  };
  album.viewer = makeViewer(album);
  const { title, empty, strip, earlier } = album.parts;
  root.replaceChildren(title, empty, strip, earlier, album.viewer.node);
  return album;
}

function paintStrip(album) {
  const { parts, data, tiles } = album;
  setText(parts.title, data.title);
  parts.title.hidden = data.title === "";
  setText(parts.empty, data.empty);
  parts.empty.hidden = data.photos.length > 0 || data.empty === "";
  parts.strip.hidden = data.photos.length === 0;
  setText(parts.earlier, `Show earlier photos (${data.earlier})`);
  parts.earlier.hidden = data.earlier === 0;
  const first = data.photos[0]?.key;
  const wanted = new Set(data.photos.map((photo) => photo.key));
  for (const [key, tile] of tiles) {
    if (wanted.has(key)) continue;
    tile.node.remove();
    tiles.delete(key);
  }
  data.photos.forEach((photo, place) => {
    const tile = tiles.get(photo.key) ?? { node: el("li"), shown: null };
    tiles.set(photo.key, tile);
    paintTile(album, tile, photo);
    if (parts.strip.children[place] !== tile.node) {
      parts.strip.insertBefore(tile.node, parts.strip.children[place] ?? null);
    }
  });
  if (first !== album.first) parts.strip.scrollLeft = 0;
  album.first = first;
}

/** The picture of a photo never changes; the words beside it may, and a button with focus stays. */
function paintTile(album, tile, photo) {
  const { small, ...words } = photo;
  const shown = JSON.stringify(words);
  if (tile.shown === shown) return;
  tile.shown = shown;
  if (photo.struck) {
    tile.node.className = "struck";
    tile.node.replaceChildren(el("p", { text: photo.time }), el("p", { class: "dim", text: photo.struck }));
    return;
  }
  tile.button ??= el("button", {
    class: "thumb", type: "button", onclick: () => openPhoto(album, photo.key),
  }, el("img", { src: small, alt: "", loading: "lazy", decoding: "async" }));
  tile.words ??= el("div");
  setAttribute(tile.button.firstChild, "alt", photo.alt);
  tile.words.replaceChildren(...captionNodes(photo));
  if (tile.button.parentNode !== tile.node) tile.node.replaceChildren(tile.button, tile.words);
}

function captionNodes(photo, word = "") {
  const told = [photo.of, photo.about].filter(Boolean).join(" · ");
  return [
    el("p", {}, el("b", { text: word ? `${word}, ${photo.time}` : photo.time }), ` · ${photo.by}`),
    told ? el("p", { class: "dim", text: told }) : null,
    photo.note ? el("p", { text: photo.note }) : null,
    ...photo.marks.filter((text) => text !== word).map((text) => el("p", { class: "mark", text })),
  ].filter(Boolean);
}
