// The settings of this demo, asked from its own server: the same files work for every issuer and address.

/**
 * @typedef {object} Config
 * @property {string} issuer the provider, as the browser reaches it
 * @property {string} client_id
 * @property {string} redirect_uri
 * @property {string} post_logout_redirect_uri
 * @property {string} scope
 * @property {string} audience what the API expects as `aud` of an access token
 */

/** @returns {Promise<Config>} */
export async function loadConfig() {
  const response = await fetch("/config.json");
  if (!response.ok) throw new Error(`/config.json answered ${response.status}`);
  return response.json();
}
