// The two images, as far as they can be tried without a container engine: what the Dockerfile copies exists, the
// binaries need nothing around them, and the settings of docker-compose.yml fit one another.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { access, chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "../scripts/port.js";
import { Program, root } from "../scripts/program.js";
import { mapped, openChromium } from "./harness/browser.js";
import { claims, clickLogin, renew, says, signedIn } from "./harness/person.js";

const run = promisify(execFile);
/** @param {string} name */
const read = (name) => readFile(new URL(name, root), "utf8");

test("every file that the Dockerfile copies from the repository exists", async () => {
  const copies = (await read("Dockerfile")).matchAll(/^COPY (?!--from)(.*) \S+$/gm);
  const sources = [...copies].flatMap(([, files = ""]) => files.split(" "));
  assert.ok(sources.includes("go.mod"), `found only ${sources}`);
  await Promise.all(sources.map((source) => access(new URL(source, root))));
});

test("docker-compose.yml publishes ports for this machine only", async () => {
  const ports = [...(await read("docker-compose.yml")).matchAll(/^ +ports: \["(.*)"\]/gm)].map(([, port]) => port);
  assert.deepEqual(ports, ["127.0.0.1:8080:8080", "127.0.0.1:9090:9090", "127.0.0.1:8180:8180"]);
});

test("the provider's image listens where the engine publishes, writes to a volume, and needs no stage of npm", async () => {
  const stages = await stagesOfTheDockerfile();
  const needed = stagesFor("idp", stages);
  assert.ok(needed.has("build-idp") && !needed.has("packages"), `the provider's image needs ${[...needed]}`);
  assert.equal(Object.keys(stages).at(-1), "idp", "the image without --target");
  assert.match(String(stages.idp), /^ENV HUSH_LISTEN=0\.0\.0\.0:8080$/m);
  assert.match(String(stages.idp), /--chown=65532:65532 \/data \/data\nVOLUME \/data$/m);
  assert.match(String(stages.base), /^LABEL org\.opencontainers\.image\.version=\$VERSION$/m);
});

test("the compilers of the Dockerfile run without emulation, for whatever machine the image is", async () => {
  const compilers = Object.values(await stagesOfTheDockerfile()).filter((text) => /(node|golang):/.test(text));
  assert.equal(compilers.length, 2);
  for (const text of compilers) assert.match(text, /^--platform=\$BUILDPLATFORM /);
});

/** The text of each stage, by its name. @returns {Promise<Record<string, string>>} */
async function stagesOfTheDockerfile() {
  const [, ...texts] = (await read("Dockerfile")).split(/^FROM /m);
  return Object.fromEntries(texts.map((text) => [/ AS (\S+)/.exec(text)?.[1], text]));
}

/** The stages that a stage is made of. @param {string} name @param {Record<string, string>} stages */
function stagesFor(name, stages) {
  const needed = new Set([name]);
  for (const each of needed) {
    const froms = String(stages[each]).matchAll(/(?:^|--from=)(?:--platform=\S+ )?(\S+)/g);
    for (const [, stage = ""] of froms) if (stage in stages) needed.add(stage);
  }
  return needed;
}

test("the example with a file, an app and an API: the provider takes the file, and the API accepts its tokens", async () => {
  const port = await freePort();
  const idp = new Program(
    "The provider",
    "bin/idp",
    [
      "--config",
      "deploy/with-your-app.hush.yaml",
      "--listen",
      `127.0.0.1:${port}`,
      "--back-channel-hosts",
      `127.0.0.1:${port}`,
    ],
    { env: {} },
  );
  const apiPort = await freePort();
  /** @type {Program | undefined} */
  let api;
  try {
    await idp.answers(`http://127.0.0.1:${port}/healthz`); // which Compose waits for too, before it starts the API
    api = new Program("The API", process.execPath, ["deploy/api.mjs"], {
      env: { DISCOVERY: `http://127.0.0.1:${port}/.well-known/openid-configuration`, PORT: `${apiPort}` },
    });
    await api.answers(`http://127.0.0.1:${apiPort}/healthz`);
    const made = await fetch(`http://127.0.0.1:${port}/console/tokens`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user: "dana", client: "web" }),
    });
    const { access_token: token } = await made.json();
    const said = await fetch(`http://127.0.0.1:${apiPort}/`, { headers: { authorization: `Bearer ${token}` } });
    assert.deepEqual(await said.json(), { issuer: "http://localhost:8080", hello: "dana" });
    assert.equal((await fetch(`http://127.0.0.1:${apiPort}/`)).status, 401);
  } finally {
    await Promise.all([api?.stop(), idp.stop()]);
  }
});

test("the binaries are built without C", async () => {
  for (const binary of ["bin/idp", "bin/demo-app"]) {
    const { stdout } = await run("go", ["version", "-m", fileURLToPath(new URL(binary, root))]);
    assert.match(stdout, /CGO_ENABLED=0/);
  }
});

test("with the settings of docker-compose.yml, each in its own empty root, sign-in and renewal work", async () => {
  const ports = { idp: await freePort(), app: await freePort() };
  const settings = await composeSettings();
  const idp = await box("idp", {
    ...pick(settings, (name) => !name.startsWith("HUSH_DEMO_")),
    HUSH_LISTEN: `127.0.0.1:${ports.idp}`, // instead of 0.0.0.0:8080
  });
  const demo = await box("demo-app", {
    ...pick(settings, (name) => name.startsWith("HUSH_DEMO_")),
    HUSH_DEMO_LISTEN: `127.0.0.1:${ports.app}`,
    HUSH_DEMO_BACK_CHANNEL: `http://${inBox ? "idp" : "127.0.0.1"}:${ports.idp}`,
  });
  try {
    await idp.program.answers(`http://127.0.0.1:${ports.idp}/healthz`);
    await demo.program.answers(`http://127.0.0.1:${ports.app}/healthz`);
    await Promise.all([idp.health(), demo.health()]);
    await checkPages(ports);
    await idp.program.stop();
    await assert.rejects(idp.health(), "a provider that is gone is not healthy");
  } catch (error) {
    console.error(idp.program.output, demo.program.output);
    throw error;
  } finally {
    await Promise.all([idp.remove(), demo.remove()]);
  }
});

/** Only root may change the root directory; others run the binaries as they are. */
const inBox = process.getuid?.() === 0;

/** What docker-compose.yml sets in the environment of the two services without a profile; their names do not overlap. */
async function composeSettings() {
  const [, services = ""] = (await read("docker-compose.yml")).split(/^services:$/m);
  const lines = services.matchAll(/^ +(HUSH_\w+): (\S+)/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
}

/**
 * @param {Record<string, string>} settings
 * @param {(name: string) => boolean} wanted
 */
function pick(settings, wanted) {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => wanted(name)));
}

/**
 * Starts a binary in an empty root directory as the user of the image. It holds what an engine puts there: a hosts
 * file with the names of the other services.
 * @param {string} name
 * @param {Record<string, string>} env
 */
async function box(name, env) {
  const folder = await mkdtemp(join(tmpdir(), `hush-${name}-`));
  await chmod(folder, 0o755);
  await mkdir(join(folder, "etc"));
  await writeFile(join(folder, "etc", "hosts"), "127.0.0.1 idp demo-app\n");
  await copyFile(new URL(`bin/${name}`, root), join(folder, name));
  const [command, ...args] = inBox
    ? ["/usr/sbin/chroot", "--userspec=65532:65532", folder, `/${name}`]
    : [join(folder, name)];
  const program = new Program(name, command, args, { env });
  return {
    program,
    health: () => run(command, [...args, "healthcheck"], { env }),
    remove: async () => {
      await program.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/**
 * A person at the published addresses, which lead to the ports of this test.
 * @param {{ idp: number, app: number }} ports
 */
async function checkPages(ports) {
  const flag = mapped({ "localhost:8080": ports.idp, "localhost:9090": ports.app });
  const { browser, close } = await openChromium("blocked", [flag]);
  try {
    const page = await browser.newPage();
    await page.goto("http://localhost:9090/web/");
    await page.waitForSelector("body[data-ready=true]");
    await page.click("#sign-in");
    await clickLogin(page, "alice");
    await signedIn(page);
    assert.equal((await claims(page, "id-token")).iss, "http://localhost:8080");
    await renew(page);
    await page.click("#call-api");
    await says(page, "api_ok");
  } finally {
    await close();
  }
}
