// Runs before the first paint, so that a chosen theme never flashes. A classic script on purpose.
(() => {
  document.documentElement.classList.add("js");
  try {
    const chosen = localStorage.getItem("pilothouse-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage is forbidden here: the system's setting holds.
  }
})();
