// <link-banner>: nobody misses that the link is lost, or that the log-in is over.

import { lengthOf } from "./ages.js";
import { icon, make } from "./icons.js";
import { live } from "./live.js";

const STATES = { none: "Connecting", up: "Live", lost: "Link lost", locked: "Logged out" };

const OFFERS = {
  rights: "Your rights have changed, and this page is as it was before.",
  renewed: "You are logged in again, and this page is from before.",
};

const SOFT = new Set(["bus", "rights"]);

function reload() {
  const button = make("button", "button", "Load it again");
  button.type = "button";
  button.addEventListener("click", () => location.reload());
  return button;
}

class LinkBanner extends HTMLElement {
  connectedCallback() {
    live.addEventListener("link", () => this.show());
    live.addEventListener("change", ({ detail }) => detail.hub && this.show());
    live.addEventListener("snapshot", () => this.show());
    live.addEventListener("tick", () => this.#count());
    this.show();
  }

  show() {
    const state = document.getElementById("link-state");
    state.dataset.link = live.link === "locked" ? "lost" : live.link;
    state.firstElementChild.textContent = STATES[live.link];
    state.title = STATES[live.link];
    const [kind, ...parts] = this.#says();
    if (kind === this.kind) return;
    this.kind = kind;
    this.replaceChildren(...(kind ? [make("div", SOFT.has(kind) ? "banner soft" : "banner", ...parts)] : []));
  }

  #says() {
    if (live.link === "lost") {
      this.age = make("span");
      const text = make("span", "", "Link to the hub lost. Values are old, and nothing but stop can be tried. Trying again …");
      this.age.setAttribute("aria-hidden", "true");
      return ["lost", icon("unplugged"), text, this.age];
    }
    if (live.offered) return [live.offered, icon("warn"), make("span", "", OFFERS[live.offered]), reload()];
    if (live.link === "locked") return this.#locked();
    if (live.link === "up" && !live.store.hub.link) {
      const text = "The hub has lost its link to the bus. Values are old, and nothing can be switched until it is back.";
      return ["bus", icon("unplugged"), make("span", "", text)];
    }
    return [""];
  }

  #locked() {
    const { why, who } = live.ended;
    if (why === "other") {
      const words = `${who} is logged in in this browser now, and this page was for ${document.body.dataset.who}.`;
      return [`other ${who}`, icon("unplugged"), make("span", "", words), reload()];
    }
    const again = make("a", "", "log in again");
    again.href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
    return ["ended", icon("unplugged"), make("span", "", "You are logged out: ", again, ". Values are old.")];
  }

  #count() {
    if (live.link === "lost" && this.age && live.lostAt) {
      this.age.textContent = `for ${lengthOf((Date.now() - live.lostAt) / 1000)}`;
    }
  }
}

customElements.define("link-banner", LinkBanner);
