import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { file } from "./harness/provider.js";
import { python } from "./harness/python.js";
import { serverApp } from "./harness/serverapp.js";
import { startBoth } from "./harness/start.js";

async function start() {
  const folder = await mkdtemp(join(tmpdir(), "hush-django-"));
  const DATABASE = join(folder, "db.sqlite3");
  const more = { PYTHONPATH: file("django"), DJANGO_SETTINGS_MODULE: "settings", DATABASE, RENEW_AFTER: "3" };
  execFileSync(python, ["-m", "django", "migrate", "-v0"], { env: { ...process.env, ...more } });
  const runserver = ["-m", "django", "runserver", "--noreload", "PORT"];
  const started = await startBoth("django", python, runserver, { env: () => more });
  const stop = async () => {
    await started.stop();
    await rm(folder, { recursive: true });
  };
  return { ...started, stop };
}

serverApp("django", start, {
  renewal: "redirect",
  refusal: /Nobody is signed in/,
  paths: { login: "/oidc/authenticate/", renew: "/", logout: "/oidc/logout/" },
  mistake: {
    is: "a redirect URI without the final slash",
    make: ({ console }) =>
      console.do("PATCH", "/console/clients/django", { redirect_uris: ["http://localhost:8000/oidc/callback"] }),
    reason: "redirect.unregistered",
  },
});
