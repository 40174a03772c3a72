export function disconnect(sub) {
  const configURL = "http://localhost:8080/fedcm/config.json";
  return IdentityCredential.disconnect({ configURL, clientId: "spa", accountHint: sub });
}
