// The buttons that copy a text: what a button has in data-copy goes to the clipboard.

/** Serves all such buttons of the page, also those that come later. */
export function serveCopyButtons() {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
    if (button instanceof HTMLElement) void copy(button);
  });
}

/** @param {HTMLElement} button */
async function copy(button) {
  const words = button.textContent;
  await navigator.clipboard.writeText(button.dataset.copy ?? "");
  button.textContent = "Copied";
  setTimeout(() => {
    button.textContent = words;
  }, 1500);
}
