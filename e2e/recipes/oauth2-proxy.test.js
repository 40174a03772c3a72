import { fileURLToPath } from "node:url";
import { freePort } from "../../scripts/port.js";
import { startApp } from "./harness/app.js";
import { file } from "./harness/provider.js";
import { serverApp } from "./harness/serverapp.js";
import { startBoth } from "./harness/start.js";

const program = fileURLToPath(new URL("../../bin/recipes/oauth2-proxy", import.meta.url));

/** Starts the provider, the proxy and the app behind it. */
async function start() {
  const behind = await freePort();
  /** Each line of the configuration that differs on free ports. @param {{ issuer: string, origin: string, port: number }} where */
  const env = ({ issuer, origin, port }) => ({
    OAUTH2_PROXY_OIDC_ISSUER_URL: issuer,
    OAUTH2_PROXY_REDIRECT_URL: `${origin}/oauth2/callback`,
    OAUTH2_PROXY_HTTP_ADDRESS: `127.0.0.1:${port}`,
    OAUTH2_PROXY_UPSTREAMS: `http://127.0.0.1:${behind}/`,
    OAUTH2_PROXY_WHITELIST_DOMAINS: new URL(issuer).host,
    OAUTH2_PROXY_COOKIE_REFRESH: "1s",
  });
  const config = ["--config", file("oauth2-proxy/oauth2-proxy.cfg")];
  const both = await startBoth("oauth2-proxy", program, config, { path: "/ping", env });
  const app = await startApp(process.execPath, [file("oauth2-proxy/app.js")], {
    port: behind,
    path: "/",
    env: { ISSUER: both.issuer },
  });
  return { ...both, stop: () => Promise.all([app.stop(), both.stop()]) };
}

serverApp("oauth2-proxy", start, {
  paths: { login: "/oauth2/start", renew: "/" },
  refusal: /Sign in with/, // the proxy has ended its session
  mistake: {
    is: "a redirect URI without the proxy's path",
    make: ({ console }) =>
      console.do("PATCH", "/console/clients/oauth2-proxy", { redirect_uris: ["http://localhost:3000/callback"] }),
    reason: "redirect.unregistered",
  },
});
