// node-oidc-provider with its store in memory, its pages for development and one client.
// Usage: node server.js PORT KEY.pem, a private key in PKCS #8: RSA, or EC of the curve P-256.
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import Provider from "oidc-provider";

const [port, file] = process.argv.slice(2);
const key = createPrivateKey(readFileSync(file));
const alg = key.asymmetricKeyType === "rsa" ? "RS256" : "ES256";

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys: [{ ...key.export({ format: "jwk" }), kid: "k1", use: "sig", alg }] },
  cookies: { keys: ["a constant will do: nobody else can reach this server"] },
  clients: [
    {
      client_id: "app",
      token_endpoint_auth_method: "none",
      redirect_uris: ["http://127.0.0.1:9999/cb"],
      response_types: ["code"],
      grant_types: ["authorization_code"],
      id_token_signed_response_alg: alg,
    },
  ],
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  ttl: { AccessToken: 3600, IdToken: 3600, AuthorizationCode: 60, Interaction: 600, Session: 43200, Grant: 43200 },
});
provider.listen(Number(port), "127.0.0.1");
