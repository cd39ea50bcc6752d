// <thing-bar address>: what stands against all controls of a thing, said once above them.

import { live } from "./live.js";
import { againstAll, showBar } from "./why-not.js";

class ThingBar extends HTMLElement {
  connectedCallback() {
    this.address = this.getAttribute("address");
    live.watch(this, this.address);
  }

  disconnectedCallback() {
    live.unwatch(this, this.address);
  }

  show() {
    showBar(this.querySelector(".why"), againstAll(this.address));
  }
}

customElements.define("thing-bar", ThingBar);
