// docs/recipes/react-oidc-context.md has the rest of the application.

export const settings = {
  authority: "{issuer}",
  client_id: "{client_id}",
  redirect_uri: "{redirect_uri}",
  post_logout_redirect_uri: "{post_logout_redirect_uri}",
  scope: "{scope}",
  automaticSilentRenew: true, // 60 seconds before the access token expires
  includeIdTokenInSilentRenew: true, // names the user, if several users are signed in
  loadUserInfo: true, // name and email come from the userinfo endpoint (Core §5.4)
  onSigninCallback: () => history.replaceState({}, "", location.pathname), // removes the code from the address
};
