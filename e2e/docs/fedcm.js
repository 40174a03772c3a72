const redirect_uri = "http://app.localhost:5173/callback"; // registered, and of the origin of this script

/** Signs in. PKCE is required of a public client; code_challenge is made from code_verifier by S256. */
export async function signIn(nonce, code_verifier, code_challenge) {
  const { token: code } = await navigator.credentials.get({
    identity: {
      providers: [
        {
          configURL: "http://localhost:8080/fedcm/config.json",
          clientId: "spa",
          params: { redirect_uri, scope: "openid profile", nonce, code_challenge, code_challenge_method: "S256" },
        },
      ],
    },
  });
  const body = { grant_type: "authorization_code", client_id: "spa", code, code_verifier, redirect_uri };
  const answer = await fetch("http://localhost:8080/token", { method: "POST", body: new URLSearchParams(body) });
  return answer.json();
}
