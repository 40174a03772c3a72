// The clients of openidclient.test.js, and their keys.

const { subtle } = globalThis.crypto;

/** Where the browser is sent back to. Nobody listens there: the visitor reads the address. */
export const callback = "http://127.0.0.1:9999/callback";

/**
 * @param {EcKeyGenParams} algorithm
 * @param {KeyUsage[]} usages
 * @param {{ kid: string, use: string, alg: string }} described
 */
async function makeKey(algorithm, usages, described) {
  const { privateKey, publicKey } = await subtle.generateKey(algorithm, false, usages);
  return { private: privateKey, public: { ...(await subtle.exportKey("jwk", publicKey)), ...described } };
}

/** What the clients sign with, and what is encrypted to them. */
export const keys = {
  signing: await makeKey({ name: "ECDSA", namedCurve: "P-256" }, ["sign", "verify"], {
    kid: "sig",
    use: "sig",
    alg: "ES256",
  }),
  encryption: await makeKey({ name: "ECDH", namedCurve: "P-256" }, ["deriveBits"], {
    kid: "enc",
    use: "enc",
    alg: "ECDH-ES+A256KW",
  }),
};

const code = ["authorization_code", "refresh_token"];
const service = [...code, "client_credentials"];
const common = { redirect_uris: [callback], first_party: true };

/** What the provider knows of each. */
export const registered = [
  {
    client_id: "basic",
    client_secret: "basic-secret",
    token_endpoint_auth_method: "client_secret_basic",
    grant_types: service,
    post_logout_redirect_uris: [callback],
    ...common,
  },
  {
    client_id: "es256",
    client_secret: "es256-secret",
    token_endpoint_auth_method: "client_secret_post",
    grant_types: service,
    id_token_signed_response_alg: "ES256",
    ...common,
  },
  {
    client_id: "mac",
    client_secret: "the-secret-of-mac-has-32-characters-or-more",
    token_endpoint_auth_method: "client_secret_jwt",
    grant_types: service,
    ...common,
  },
  {
    client_id: "key",
    token_endpoint_auth_method: "private_key_jwt",
    grant_types: service,
    jwks: { keys: [keys.signing.public] },
    require_signed_request_object: false,
    ...common,
  },
  {
    client_id: "reader",
    client_name: "Reader",
    token_endpoint_auth_method: "none",
    grant_types: code,
    redirect_uris: [callback],
  },
  {
    client_id: "jarm",
    client_secret: "jarm-secret",
    token_endpoint_auth_method: "client_secret_post",
    authorization_signed_response_alg: "RS256",
    userinfo_signed_response_alg: "RS256",
    ...common,
  },
  {
    client_id: "sealed",
    client_secret: "sealed-secret",
    token_endpoint_auth_method: "client_secret_post",
    grant_types: service,
    jwks: { keys: [keys.encryption.public] },
    id_token_encrypted_response_alg: "ECDH-ES+A256KW",
    id_token_encrypted_response_enc: "A256GCM",
    userinfo_signed_response_alg: "RS256",
    userinfo_encrypted_response_alg: "ECDH-ES+A256KW",
    userinfo_encrypted_response_enc: "A256GCM",
    introspection_signed_response_alg: "RS256",
    ...common,
  },
  {
    client_id: "tv",
    client_name: "Television",
    token_endpoint_auth_method: "none",
    grant_types: ["urn:ietf:params:oauth:grant-type:device_code"],
    redirect_uris: [],
    response_types: [],
  },
  {
    client_id: "bank",
    token_endpoint_auth_method: "private_key_jwt",
    profile: "fapi2",
    grant_types: code,
    jwks: { keys: [keys.signing.public] },
    id_token_signed_response_alg: "ES256",
    ...common,
  },
];
