// The form of somebody's rights: what is chosen is told in words at once, and there is always an empty row to fill in.

const form = document.querySelector(".rights-form");
const rows = form.querySelector(".right-rows");
let asked = 0;

/** Ask the server what the rows come to; it has the one function that knows. */
async function preview() {
  const number = ++asked;
  const body = new URLSearchParams(new FormData(form));
  body.set("do", "preview");
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const told = page.getElementById("preview");
    if (number === asked && answer.ok && told) document.getElementById("preview").replaceChildren(...told.childNodes);
  } catch {
    // No link now: saving says what it does all the same.
  }
}

function addRow() {
  const last = rows.lastElementChild;
  if (!last.querySelector("[name=role]").value) return;
  const row = last.cloneNode(true);
  const number = rows.children.length + 1;
  const [role, where] = row.querySelectorAll("select");
  role.setAttribute("aria-label", `Role ${number}`);
  where.setAttribute("aria-label", `Where ${number}`);
  role.options[0].textContent = "add …";
  for (const select of [role, where]) select.selectedIndex = 0;
  rows.append(row);
}

form.addEventListener("change", () => {
  addRow();
  preview();
});
for (const button of form.querySelectorAll("button[value=preview], button[value=more]")) button.hidden = true;
