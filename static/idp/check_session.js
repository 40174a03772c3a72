// Session Management §3.2: the page around this one sends its client_id, a space, and the session_state that it got with its last
// answer. It hears whether that is still true: "unchanged", "changed", or "error" where nobody can tell. Nothing leaves the browser.

const page = document.getElementById("check-session");
const cookieNames = (page?.dataset.cookies ?? "").split(" ");

window.addEventListener("message", async (message) => {
  if (window.parent === window || !isFromParent(message)) return;
  message.source?.postMessage(await compare(message.data, message.origin), { targetOrigin: message.origin });
});

// §3.2: "The OP iframe MUST enforce that the caller has the same origin as its parent frame." The caller is the parent, or another
// iframe in it, as in the example of §3.1. A browser without ancestorOrigins tells the parent's origin by the referrer, or not at all.
/** @param {MessageEvent} message */
function isFromParent(message) {
  if (message.source === window.parent) return true;
  const parent = location.ancestorOrigins?.[0] ?? (document.referrer ? new URL(document.referrer).origin : "");
  return message.origin === parent;
}

/**
 * @param {unknown} data what the client sent
 * @param {string} origin of the client
 */
async function compare(data, origin) {
  const asked = /^([\x20-\x7e]+) ([\w-]{43})\.([\w-]+)$/.exec(typeof data === "string" ? data : "");
  if (!asked || !crypto.subtle) return "error"; // crypto.subtle: not where a page around this one came over plain http
  const [, clientID, sessionState, salt] = asked;
  const state = browserState();
  if (state === "" && !(await seesCookies())) return "error";
  return (await hash([clientID, origin, state, salt].join(" "))) === sessionState ? "unchanged" : "changed";
}

// Who is signed in, as the provider wrote it into a cookie; "" for nobody.
function browserState() {
  const cookies = new Map(document.cookie.split("; ").map((pair) => /** @type {[string, string]} */ (pair.split("="))));
  for (const name of cookieNames) {
    const value = cookies.get(name);
    if (value) return value;
  }
  return "";
}

// Without a cookie either nobody is signed in, or the browser withholds cookies from this iframe. In the second case "changed" would
// make the client renew, in vain and for ever.
async function seesCookies() {
  if (!navigator.cookieEnabled) return false;
  try {
    return (await document.hasStorageAccess?.()) ?? true;
  } catch {
    return false;
  }
}

/** @param {string} text */
async function hash(text) {
  const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(sum)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
