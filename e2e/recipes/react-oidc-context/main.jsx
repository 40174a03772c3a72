import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { AuthProvider, useAuth } from "react-oidc-context";
import { settings } from "./auth.js";

function App() {
  const auth = useAuth();
  return (
    <>
      <h1>
        Hello <span id="name">{auth.user?.profile.name}</span>
      </h1>
      <p>
        The access token ends with <code id="token">{auth.user?.access_token.slice(-8)}</code>
      </p>
      <p id="error" role="alert">
        {auth.error?.message}
      </p>
      <button type="button" id="sign-in" onClick={() => auth.signinRedirect()}>
        Sign in
      </button>{" "}
      <button type="button" id="renew" onClick={() => auth.signinSilent()}>
        Renew
      </button>{" "}
      <button type="button" id="sign-out" onClick={() => auth.signoutRedirect()}>
        Sign out
      </button>
    </>
  );
}

createRoot(document.getElementById("app")).render(
  <StrictMode>
    <AuthProvider {...settings}>
      <App />
    </AuthProvider>
  </StrictMode>,
);
