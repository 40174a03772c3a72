// A browser lets a script close a window that a page opened. If a person opened it, the text above says to close it.
document.getElementById("storage-close")?.addEventListener("click", () => window.close());
