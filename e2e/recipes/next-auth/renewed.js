/** The token of the session, with new tokens of the provider if the access token expires in less than a minute. */
export async function renewed(token, issuer, clientId, clientSecret) {
  const { account } = token;
  if (account.expires_at - Date.now() / 1000 > 60) return token;
  const answer = await fetch(`${issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
    body: new URLSearchParams({ grant_type: "refresh_token", refresh_token: account.refresh_token }),
  });
  const tokens = await answer.json();
  if (!answer.ok) return { ...token, error: tokens.error };
  const expires_at = Math.floor(Date.now() / 1000) + tokens.expires_in;
  return { ...token, error: undefined, account: { ...account, ...tokens, expires_at } };
}
