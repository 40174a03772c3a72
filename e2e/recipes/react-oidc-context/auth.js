export const settings = {
  authority: "http://localhost:8080",
  client_id: "spa",
  redirect_uri: "http://localhost:5173/",
  post_logout_redirect_uri: "http://localhost:5173/",
  scope: "openid profile email",
  automaticSilentRenew: true, // 60 seconds before the access token expires
  includeIdTokenInSilentRenew: true, // names the user, if several users are signed in
  loadUserInfo: true, // name and email come from the userinfo endpoint (Core §5.4)
  onSigninCallback: () => history.replaceState({}, "", location.pathname), // removes the code from the address
};
