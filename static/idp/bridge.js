// In a hidden iframe without the provider's cookies: asks the browser for them, and goes on to the address in the page, with the
// browser's answer behind it. https://privacycg.github.io/storage-access/
const next = document.getElementById("bridge")?.dataset.next ?? "/";

/** The browser answers without a prompt, since nobody clicked here. An app must not wait for one that does not answer. */
const late = new Promise((resolve) => setTimeout(resolve, 1000, "denied"));

/** @returns {Promise<string>} */
async function ask() {
  if (!document.requestStorageAccess) return "unsupported";
  try {
    await document.requestStorageAccess();
    return "granted";
  } catch {
    return "denied";
  }
}

Promise.race([ask(), late]).then((answer) => location.replace(next + answer));
