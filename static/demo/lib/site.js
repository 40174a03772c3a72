// Same site or cross-site? It decides whether the provider's cookie may reach the hidden iframe.

/**
 * The site of an address: its scheme and registrable domain (the port is no part of it).
 *
 * For `*.localhost` the registrable domain is the last two labels, so app.localhost and idp.localhost are two
 * sites, but app.demo.localhost and idp.demo.localhost are one. Browsers consult the Public Suffix List; taking the
 * last two labels is enough for this demo's names and would be wrong for, say, example.co.uk.
 *
 * @param {string} address an absolute URL
 */
export function siteOf(address) {
  const { protocol, hostname } = new URL(address);
  const isAddress = hostname.startsWith("[") || /^[\d.]+$/.test(hostname);
  return `${protocol}//${isAddress ? hostname : hostname.split(".").slice(-2).join(".")}`;
}

/**
 * @param {string} a
 * @param {string} b
 */
export function crossSite(a, b) {
  return siteOf(a) !== siteOf(b);
}
