// A button that copies what stands before it; without the right to, it is marked, so that Ctrl-C copies it.

class CopyText extends HTMLElement {
  connectedCallback() {
    const text = this.querySelector("pre");
    if (!text || this.querySelector("button")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", this.getAttribute("label") || "Copy");
    const said = document.createElement("span");
    said.className = "sr";
    said.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      let word = "Copied";
      try {
        await navigator.clipboard.writeText(text.textContent);
      } catch {
        // Plain http beyond this machine, or forbidden.
        getSelection().selectAllChildren(text);
        word = "Marked";
      }
      button.textContent = word;
      said.textContent = word === "Copied" ? "Copied" : "Marked: press Ctrl and C";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    this.append(button, said);
  }
}

customElements.define("copy-text", CopyText);
