// An Apache whose pages are for people who signed in: mod_auth_openidc asks the provider who they are.

import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Program } from "../../scripts/program.js";

/**
 * A running Apache.
 * @typedef {object} Apache
 * @property {string} origin
 * @property {() => Promise<string>} log what it and the module wrote
 * @property {() => Promise<void>} stop
 */

/** The program and its modules: those that APACHE and APACHE_MODULES name, or Debian's. */
const program = process.env.APACHE ?? "/usr/sbin/apache2";
const modules = process.env.APACHE_MODULES ?? "/usr/lib/apache2/modules";

const loaded = ["mpm_event", "authn_core", "authz_core", "authz_user", "dir", "mime", "headers", "auth_openidc"];

/** What the provider knows of it. Registered loopback addresses match with any port. */
export const registered = {
  client_id: "apache",
  client_secret: "apache-secret",
  token_endpoint_auth_method: "client_secret_basic",
  redirect_uris: ["http://localhost/oidc"],
  post_logout_redirect_uris: ["http://localhost/open/"],
  require_pkce: true,
  first_party: true,
};

/**
 * Its configuration: /secret/ for everybody who signed in, /alice/ for one of them by a claim of userinfo, /open/ for all.
 * @param {{ folder: string, port: number, issuer: string }} where
 */
const configuration = ({ folder, port, issuer }) => `
${loaded.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join("\n")}
ServerName localhost
Listen 127.0.0.1:${port}
User www-data
Group www-data
DefaultRuntimeDir ${folder}
PidFile ${folder}/httpd.pid
Mutex file:${folder} default
ErrorLog ${folder}/error.log
LogLevel warn auth_openidc:info
DocumentRoot ${folder}/pages
DirectoryIndex index.html
TypesConfig /dev/null
AddType text/html .html

OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
OIDCClientID apache
OIDCClientSecret apache-secret
OIDCProviderTokenEndpointAuth client_secret_basic
OIDCRedirectURI http://localhost:${port}/oidc
OIDCCryptoPassphrase a-passphrase-of-this-test-only
OIDCScope "openid profile email"
OIDCPKCEMethod S256
OIDCRemoteUserClaim sub
OIDCProviderBackChannelLogoutSupported On
Header always set X-User "expr=%{REMOTE_USER}"
Header always set Cache-Control no-store
FileETag None

<Location /oidc>
  AuthType openid-connect
  Require valid-user
</Location>
<Location /secret>
  AuthType openid-connect
  Require valid-user
</Location>
<Location /alice>
  AuthType openid-connect
  Require claim preferred_username:alice
</Location>
<Location /open>
  Require all granted
</Location>
`;

/**
 * Starts it and waits until it answers.
 * @param {number} port
 * @param {string} issuer
 * @returns {Promise<Apache>}
 */
export async function startApache(port, issuer) {
  const folder = await mkdtemp(join(tmpdir(), "hush-apache-"));
  await chmod(folder, 0o777); // started by root, it serves as another user
  for (const name of ["secret", "alice", "open"]) {
    await mkdir(join(folder, "pages", name), { recursive: true });
    await writeFile(join(folder, "pages", name, "index.html"), `<!doctype html><title>${name}</title><h1>${name}</h1>`);
  }
  const file = join(folder, "httpd.conf");
  await writeFile(file, configuration({ folder, port, issuer }));
  const apache = new Program("Apache", program, ["-f", file, "-DFOREGROUND"]);
  const log = async () => apache.output + (await readFile(join(folder, "error.log"), "utf8").catch(() => ""));
  try {
    await apache.answers(`http://127.0.0.1:${port}/open/`);
  } catch (error) {
    throw new Error(`${error}\n${await log()}`);
  }
  const stop = async () => {
    await apache.stop();
    await rm(folder, { recursive: true });
  };
  return { origin: `http://localhost:${port}`, log, stop };
}
