// Clients for configurations of the tests' own. A registered loopback URI matches any port (RFC 8252 §7.3).

const hosts = ["localhost", "app.demo.localhost", "app.localhost"];

/** @param {string} path */
const uris = (path) => hosts.map((host) => `http://${host}${path}`);

/**
 * The demo's two clients, with tokens of another lifetime than the built-in one.
 * @param {string} lifetime as Go writes durations: 63s
 */
export function demoClients(lifetime) {
  const grants = ["authorization_code", "refresh_token"];
  const common = {
    first_party: true,
    grant_types: grants,
    access_token_lifetime: lifetime,
    id_token_lifetime: lifetime,
  };
  const spa = {
    client_id: "spa",
    client_name: "Demo single-page app",
    token_endpoint_auth_method: "none",
    redirect_uris: uris("/spa/callback.html"),
    post_logout_redirect_uris: uris("/spa/"),
    ...common,
  };
  const web = {
    client_id: "web",
    client_name: "Demo server-side app",
    client_secret: "web-secret",
    redirect_uris: [...uris("/web/callback"), ...uris("/web/silent-callback")],
    post_logout_redirect_uris: uris("/web/"),
    ...common,
  };
  return [spa, web];
}

/** A client that is not first-party, so that consent is asked. */
export const thirdParty = {
  client_id: "reading-club",
  client_name: "The Reading Club",
  client_uri: "http://localhost:9090/",
  policy_uri: "http://localhost:9090/policy",
  tos_uri: "http://localhost:9090/terms",
  token_endpoint_auth_method: "none",
  redirect_uris: ["http://localhost:9090/reading-club"],
};
