// Search over nodes, stands, things and properties: `/` or the button opens it, Enter goes there. It never commands anything.

import { make } from "./icons.js";
import { live } from "./live.js";

const MOST = 30;
let dialog = null;

/** Open the search. */
export function openSearch() {
  if (dialog) return;
  const input = make("input");
  input.type = "text";
  input.placeholder = "Node, stand, thing or property";
  input.autocomplete = "off";
  input.spellcheck = false;
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-expanded", "true");
  input.setAttribute("aria-controls", "found");
  input.setAttribute("aria-label", "Search nodes, stands, things and properties");
  const list = make("ul");
  list.id = "found";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Found");
  dialog = make("dialog", "palette", input, list);
  dialog.setAttribute("aria-label", "Search");
  document.body.append(dialog);
  let everything = places();
  let found = [];
  let at = 0;

  const mark = () => {
    [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
    input.setAttribute("aria-activedescendant", found.length ? `found-${at}` : "");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const look = () => {
    found = rank(everything, input.value).slice(0, MOST);
    at = 0;
    list.replaceChildren(...found.map((place, index) => {
      const item = make("li", "", make("span", "", place.title), make("span", "", place.where));
      item.id = `found-${index}`;
      item.setAttribute("role", "option");
      item.addEventListener("click", () => location.assign(place.href));
      return item;
    }));
    dialog.querySelector(".none")?.remove();
    if (!found.length) dialog.append(make("p", "none", "Nothing of that name."));
    mark();
  };
  // Whoever is faster than the first snapshot sees what there is as soon as it is there.
  const filled = () => {
    everything = places();
    look();
  };
  live.addEventListener("snapshot", filled);
  input.addEventListener("input", look);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      event.preventDefault();
      at = (at + step + found.length) % found.length;
      mark();
    } else if (event.key === "Enter" && found[at]) {
      event.preventDefault();
      const { href } = found[at];
      dialog.close();
      location.assign(href);
    }
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    live.removeEventListener("snapshot", filled);
    dialog.remove();
    dialog = null;
  });
  dialog.showModal();
  look();
}

function places() {
  const found = [...live.store.nodes.keys()].map((node) => ({ title: node, where: "node", href: `/nodes/${node}`, weight: 3 }));
  for (const { stand, title } of live.store.stands.values()) {
    found.push({ title: title || stand, where: "stand", href: `/stands/${stand}`, weight: 3 });
  }
  for (const thing of live.store.things.values()) {
    const href = `/things/${thing.node}/${thing.thing}`;
    const where = `${thing.node}/${thing.thing}`;
    found.push({ title: thing.title || thing.thing, where, href, weight: 2 });
    for (const name of Object.keys(thing.properties)) {
      found.push({ title: name.replaceAll("_", " "), where: `${where}.${name}`, href: `${href}#p-${name}`, weight: 1 });
    }
  }
  return found;
}

function rank(everything, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return everything.filter((place) => place.weight > 1);
  const scored = [];
  for (const place of everything) {
    const title = place.title.toLowerCase();
    const whole = `${title} ${place.where.toLowerCase()}`;
    if (words.every((word) => whole.includes(word))) {
      const starts = words.filter((word) => title.startsWith(word)).length;
      const inside = words.filter((word) => title.includes(word)).length;
      scored.push([starts * 4 + inside * 2 + place.weight / 2, place]);
    }
  }
  return scored.sort((one, other) => other[0] - one[0]).map(([, place]) => place);
}
