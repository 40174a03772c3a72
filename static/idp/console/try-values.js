// The flows that the tab Try it knows, and the values with which their requests are filled in: those of a good client.

/** @typedef {import("./clients.js").Client} Client */

/**
 * How the requests of one flow are made. kinds are names of GET /console/requests, in the order of the flow.
 * @typedef {{ name: string, title: string, hint: string, kinds: string[], silent?: boolean }} FlowKind
 */

const deviceCode = "urn:ietf:params:oauth:grant-type:device_code";

/** @type {FlowKind[]} */
export const flowKinds = [
  {
    name: "code",
    title: "Authorization code, with PKCE",
    hint: "A window opens, in which the user signs in. The client exchanges the code for tokens.",
    kinds: ["authorize", "authorization_code"],
  },
  {
    name: "silent",
    title: "Silent renewal: prompt=none",
    hint: "The request goes through a hidden iframe, as in an app: the provider may show no page.",
    kinds: ["authorize", "authorization_code"],
    silent: true,
  },
  {
    name: "par",
    title: "Pushed authorization request (PAR)",
    hint: "First the client sends the parameters to the provider itself. The browser sends only a name for them.",
    kinds: ["par", "authorize", "authorization_code"],
  },
  {
    name: "device",
    title: "Device",
    hint: "A device shows a code, and the user types it in a browser. The client needs this grant type.",
    kinds: ["device_authorization", deviceCode],
  },
  {
    name: "client",
    title: "Client credentials",
    hint: "A server requests a token for itself. The client must be confidential, and needs this grant type.",
    kinds: ["client_credentials"],
  },
  {
    name: "refresh",
    title: "Refresh token",
    hint: "The client gets new tokens without a browser. A flow with scope offline_access fills in the refresh token.",
    kinds: ["refresh_token"],
  },
];

/**
 * The values of which a request is made.
 * @typedef {object} Context
 * @property {FlowKind} flow
 * @property {Client} client
 * @property {string} user for login_hint; empty: any
 * @property {string} method of client authentication
 * @property {string} secret
 * @property {string} callback the redirect URI of this console
 * @property {Used | undefined} used the redirect URIs that the app of the client used last
 * @property {Fresh} fresh
 * @property {Map<string, string>} carried values from answers for later requests, by parameter
 */

/** An entry of GET /console/requests. @typedef {{ client_id: string, sign_in: string, silent: string }} Used */

/** Random values of one flow. @typedef {{ state: string, nonce: string, verifier: string, challenge: string }} Fresh */

/** @returns {Promise<Fresh>} */
export async function freshValues() {
  const verifier = random(32);
  return { state: random(16), nonce: random(16), verifier, challenge: await sha256(verifier) };
}

/** @param {number} bytes */
function random(bytes) {
  return base64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

/** Browsers have SHA-256 for scripts at https and at loopback addresses only; elsewhere the challenge is empty. @param {string} text */
async function sha256(text) {
  if (!crypto.subtle) return "";
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** The parameters that a good client sends in a request of this kind. @param {string} kind @param {Context} context @returns {Map<string, string>} */
export function valuesFor(kind, context) {
  if (kind === "authorize" && context.flow.name === "par")
    return given({ client_id: context.client.client_id, request_uri: context.carried.get("request_uri") ?? "" });
  if (kind === "authorize") return given(authorization(context));
  return given({ ...own(kind, context), ...authentication(context) });
}

/** @param {string} kind @param {Context} context @returns {{ [name: string]: string | undefined }} */
function own(kind, context) {
  const { carried, fresh } = context;
  if (kind === "par") return authorization(context);
  if (kind === "device_authorization") return { scope: scopeOf(context.client) };
  const needs = /** @type {{ [kind: string]: { [name: string]: string } }} */ ({
    authorization_code: {
      code: carried.get("code") ?? "",
      redirect_uri: redirectOf(context),
      code_verifier: fresh.verifier,
    },
    refresh_token: { refresh_token: carried.get("refresh_token") ?? "" },
    [deviceCode]: { device_code: carried.get("device_code") ?? "" },
  });
  return { grant_type: kind, ...needs[kind] };
}

/** @param {Context} context @returns {{ [name: string]: string | undefined }} */
function authorization(context) {
  const { client, flow, fresh, user } = context;
  return {
    response_type: "code",
    client_id: client.client_id,
    redirect_uri: redirectOf(context),
    scope: scopeOf(client),
    state: fresh.state,
    nonce: fresh.nonce,
    code_challenge: fresh.challenge,
    code_challenge_method: "S256",
    prompt: flow.silent ? "none" : undefined,
    login_hint: user || undefined,
  };
}

/** The parameters of the body that name the client. @param {Context} context @returns {{ [name: string]: string | undefined }} */
function authentication({ client, method, secret }) {
  if (method === "client_secret_basic") return { client_id: undefined };
  return { client_id: client.client_id, client_secret: method === "client_secret_post" ? secret : undefined };
}

/**
 * This console's redirect URI if the client has registered it, else the one that its app used last, else its first: that of a
 * loopback host may lack the port.
 * @param {Pick<Context, "client" | "callback" | "flow" | "used">} context
 */
export function redirectOf({ client, callback, flow, used }) {
  if (client.redirect_uris.includes(callback)) return callback;
  return (flow.silent ? used?.silent : used?.sign_in) ?? client.redirect_uris[0] ?? callback;
}

/** @param {Client} client */
export function scopeOf(client) {
  return client.scope || "openid profile email";
}

/** @param {{ [name: string]: string | undefined }} values */
function given(values) {
  return new Map(Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
