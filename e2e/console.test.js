// Access to the console: open to this machine without a sign-in, closed to pages of other origins, no name
// of the internet that points here, nobody without the CSRF token; and beyond a loopback issuer there is no console at all.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { freePort } from "../scripts/port.js";
import { Program } from "../scripts/program.js";
import { openChromium } from "./harness/browser.js";
import { ask, Console, codesOf } from "./harness/console.js";
import { crossSite, layouts, sameSite, startHush } from "./harness/hush.js";
import { openApp, renew, renewInVain, signIn, text } from "./harness/person.js";
import { authorizeURL } from "./harness/request.js";
import { scenes } from "./harness/story.js";

/** @typedef {import("./harness/hush.js").Hush} Hush */
/** @typedef {{ [name: string]: string }} Headers */

/** What can be read, and what can be done. */
const reads = [
  "/console",
  "/console/token",
  "/console/events",
  "/console/flows",
  "/console/flows/x",
  "/console/cookies",
  "/console/faults",
  "/console/faults/kinds",
  "/console/clock",
  "/console/checks",
  "/console/sessions",
  "/console/clients",
  "/console/keys",
  "/console/users",
  "/console/requests",
  "/console/callback",
];
const deeds = /** @type {const} */ ([
  ["DELETE", "/console/flows"],
  ["POST", "/console/faults"],
  ["DELETE", "/console/faults"],
  ["DELETE", "/console/faults/x"],
  ["POST", "/console/clock"],
  ["POST", "/console/sessions/x"],
  ["POST", "/console/sessions"],
  ["POST", "/console/tokens"],
  ["POST", "/console/preview"],
  ["POST", "/console/jwt"],
  ["POST", "/console/reset"],
  ["POST", "/console/checks"],
  ["PUT", "/console/clients/x"],
  ["PATCH", "/console/clients/x"],
  ["DELETE", "/console/clients/x"],
  ["PUT", "/console/users/x"],
  ["POST", "/console/clients/spa/redirect_uris"],
  ["POST", "/console/keys"],
  ["POST", "/console/reports"],
]);

describe("the console on a loopback issuer", () => {
  /** @type {Hush} */
  let hush;
  before(async () => {
    hush = await startHush(sameSite);
  });
  after(() => hush?.stop());

  test("opens without a sign-in, and gives the CSRF token to programs of this machine", async () => {
    assert.equal((await ask(hush, "/console")).status, 200);
    assert.match(await new Console(hush).token(), /.{20}/);
  });

  test("refuses every other Host (DNS rebinding)", async () => {
    const port = new URL(hush.issuer).port;
    for (const host of [
      `evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      "localhost:1",
      `localhost.evil.example:${port}`,
    ]) {
      await assertRefused(hush, { host });
    }
  });

  test("answers at the provider's name in each layout", async () => {
    for (const layout of layouts) assert.equal((await ask(hush.at(layout), "/console/flows")).status, 200, layout.name);
  });

  test("refuses every other Origin, and lets no browser hand over an answer", async () => {
    for (const origin of [
      "https://evil.example",
      "null",
      "http://localhost",
      `${hush.app}0`,
      "http://evil.localhost",
    ]) {
      await assertRefused(hush, { origin });
    }
  });

  test("refuses what another site's page asks for without an Origin: images, scripts, frames, forms", async () => {
    for (const dest of ["image", "script", "iframe", "empty"]) {
      await assertRefused(hush, {
        "sec-fetch-site": "cross-site",
        "sec-fetch-dest": dest,
        "sec-fetch-mode": "no-cors",
      });
    }
    const followed = { "sec-fetch-site": "cross-site", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate" };
    assert.equal((await ask(hush, "/console", { headers: followed })).status, 200, "a person may follow a link");
    for (const [method, path] of deeds) {
      assert.equal((await ask(hush, path, { method, headers: followed })).status, 403, `${method} ${path}`);
    }
  });

  test("lets the demo's pages of each layout read and, with the token, act", async () => {
    for (const layout of layouts) {
      const { app: origin } = hush.at(layout);
      const read = await ask(hush, "/console/flows", { headers: { origin } });
      assert.deepEqual([read.status, read.headers["access-control-allow-origin"]], [200, origin]);
      assert.equal(read.headers["access-control-allow-credentials"], undefined);
      const wanted = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-hush-csrf",
      };
      const asked = await ask(hush, "/console/faults", { method: "OPTIONS", headers: { origin, ...wanted } });
      assert.equal(asked.headers["access-control-allow-origin"], origin);
      const headers = { origin, "x-hush-csrf": await new Console(hush).token() };
      assert.equal((await ask(hush, "/console/flows", { method: "DELETE", headers })).status, 204);
    }
  });

  test("changes nothing without its CSRF token, or with a wrong one", async () => {
    const token = await new Console(hush).token();
    for (const [method, path] of deeds) {
      for (const given of [undefined, "", "wrong", token.slice(1), `${token}x`]) {
        const headers = /** @type {Headers} */ ({ "content-type": "application/json", origin: hush.issuer });
        if (given !== undefined) headers["x-hush-csrf"] = given;
        const { status } = await ask(hush, path, { method, headers, body: "{}" });
        assert.equal(status, 403, `${method} ${path} with token ${given}`);
      }
      const headers = { origin: hush.issuer };
      const inAddress = await ask(hush, `${path}?csrf=${encodeURIComponent(token)}`, { method, headers, body: "{}" });
      assert.equal(inAddress.status, 403, `${method} ${path} with the token in the address`);
    }
  });

  test("sends each flow to the pages that watch, as it happens", async () => {
    const asked = request(`${hush.idp}/console/events`, { headers: { host: new URL(hush.issuer).host } }).end();
    const [stream] = /** @type {[import("node:http").IncomingMessage]} */ (await once(asked, "response"));
    assert.match(stream.headers["content-type"] ?? "", /^text\/event-stream/);
    await postToken(hush, "grant_type=authorization_code&client_id=nobody&code=x");
    let text = "";
    for await (const chunk of stream) {
      text += chunk;
      if (/^data: .*\n\n/m.test(text)) break; // leaves, and so closes the connection
    }
    const { flow, record } = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? "");
    assert.deepEqual([record.endpoint, record.reason, record.flow_id], ["token", "client.unknown", flow.id]);
  });
});

for (const [sentence, args, config] of /** @type {[string, string[], object][]} */ ([
  ["without development mode", ["--dev=false"], {}],
  [
    "on an issuer that is not loopback",
    ["--issuer", "https://id.example.com"],
    {
      users: [{ username: "alice", password_hash: "$2b$12$KIXQ4SrkyGzeJQDhLr/UGOWvWRq7mQ9zWIvpAXYd3TiSuIxfd5YFu" }],
      clients: [
        { client_id: "app", token_endpoint_auth_method: "none", redirect_uris: ["https://app.example.com/callback"] },
      ],
    },
  ],
])) {
  test(`${sentence} nothing of the console answers`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "hush-config-"));
    const file = join(folder, "idp.yaml");
    await writeFile(file, JSON.stringify(config)); // JSON is YAML
    const port = await freePort();
    const provider = new Program("The provider", "bin/idp", [
      "--config",
      file,
      "--listen",
      `127.0.0.1:${port}`,
      ...args,
    ]);
    try {
      const idp = `http://127.0.0.1:${port}`;
      await provider.answers(`${idp}/healthz`);
      const issuer = (await (await fetch(`${idp}/.well-known/openid-configuration`)).json()).issuer;
      const hush = /** @type {Hush} */ ({ issuer, idp });
      for (const path of reads) assert.equal((await ask(hush, path)).status, 404, path);
      for (const [method, path] of deeds) assert.equal((await ask(hush, path, { method })).status, 404, path);
      const { headers } = await ask(hush, `/authorize?prompt=none&client_id=nobody&redirect_uri=https://x.example/cb`);
      assert.match(String(headers["content-security-policy"]), /frame-ancestors 'none'/);
    } finally {
      await provider.stop();
      await rm(folder, { recursive: true });
    }
  });
}

test("in a browser, a name of the internet that points to this machine reads nothing", async () => {
  const hush = await startHush(sameSite);
  const port = new URL(hush.issuer).port;
  const { browser, close } = await openChromium("allowed", [`--host-resolver-rules=MAP evil.example 127.0.0.1`]);
  try {
    const page = await browser.newPage();
    await page.setBypassCSP(true); // the attacker's page has no such policy
    await page.goto(`http://evil.example:${port}/healthz`); // a page for people would go on to the issuer
    const statuses = await page.evaluate(
      async (paths) => Promise.all(paths.map(async (path) => (await fetch(path)).status)),
      reads,
    );
    assert.deepEqual([...new Set(statuses)], [403]);
  } finally {
    await close();
    await hush.stop();
  }
});

scenes("the console's page", { layout: sameSite, cookies: "blocked" }, (scene) => {
  scene(
    "shows a renewal of another tab as it happens, and its reason when it fails",
    async ({ hush: programs, newTab }) => {
      const hush = programs.at(crossSite);
      const watching = await newTab();
      await watching.page.goto(`${hush.issuer}/console`);
      const app = await newTab();
      await signIn(app.page, hush, "spa");
      await renewInVain(app.page);
      await watching.page.bringToFront();
      await watching.page.waitForSelector('ol.diagram li[data-reason="cookie.access_denied"]');
      const flow = await new Console(hush).flowWith("cookie.access_denied");
      assert.equal(await watching.page.$eval("ol.diagram", ({ dataset }) => dataset.flow), flow.id);
    },
  );

  scene("its page lists the flows of before, and fetches a flow when it is opened", async ({ hush, newTab }) => {
    const app = await newTab();
    await signIn(app.page, hush, "spa");
    const console = new Console(hush);
    await console.reset();
    await renew(app.page);
    await renew(app.page);
    const [newest, older] = await console.flows();
    assert.ok(newest && older);

    const { page } = await newTab();
    const fetched = /** @type {string[]} */ ([]);
    page.on("request", (request) => void fetched.push(request.url().replace(hush.issuer, "")));
    await page.goto(`${hush.issuer}/console`);
    await page.waitForSelector("#flow-diagram:not(.example) details");
    assert.ok((await page.$$("#cookie-history li")).length > 0, "the history of the cookies has what was before");
    await page.click(`#flow-list li[data-flow="${older.id}"] button`);
    await page.waitForSelector(`#flow-more[data-flow="${older.id}"]`);
    const [, request] = await page.$$("#flow-diagram details > summary"); // after the iframe, of which no record is
    await request?.click();
    await page.waitForSelector("#flow-diagram details .opened dl"); // the parameters of the request
    const api = fetched.filter((path) => path.startsWith("/console/flows") || path === "/console/cookies");
    assert.deepEqual(api.toSorted(), [
      "/console/cookies",
      "/console/flows",
      ...[`/console/flows/${newest.id}`, `/console/flows/${older.id}`].toSorted(),
    ]);

    await app.page.bringToFront();
    await renew(app.page);
    const [live] = await console.flows();
    assert.ok(live);
    await page.bringToFront();
    await page.waitForSelector(`#flow-list li[data-flow="${live.id}"][data-state=done]`);
    await page.click(`#flow-list li[data-flow="${live.id}"] button`);
    await page.waitForSelector(`#flow-more[data-flow="${live.id}"]`);
    assert.ok(!fetched.includes(`/console/flows/${live.id}`), "the stream had it from its beginning");
  });

  scene(
    "shows the newest flow, also after a renewal: of all flows, or of the silent ones",
    async ({ hush, newTab }) => {
      const app = await newTab();
      await signIn(app.page, hush, "spa");
      const console = new Console(hush);
      await console.reset();
      await renew(app.page);
      const renewal = await console.flow(({ silent, state }) => silent && state === "done", "the renewal");
      await postToken(hush, "grant_type=authorization_code&client_id=nobody&code=x");
      const mistake = await console.flowWith("client.unknown");
      const { page } = await newTab();
      await page.goto(`${hush.issuer}/console`);
      await page.waitForSelector(`#flow-more[data-flow="${mistake.id}"]`);
      assert.match(await page.$eval("#flow-head", ({ textContent }) => textContent ?? ""), /client\.unknown/);
      await page.click("#silent-only");
      await page.waitForSelector(`#flow-more[data-flow="${renewal.id}"]`);
    },
  );

  scene(
    "says of a request that is refused with a page neither that a cookie was looked at nor a redirect sent",
    async (stage) => {
      const { hush } = stage;
      const console = new Console(hush);
      const frame = { "sec-fetch-dest": "iframe", "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate" };
      for (const [change, reason] of /** @type {const} */ ([
        [{ redirect_uri: `${hush.app}/unregistered`, prompt: "none" }, "redirect.unregistered"],
        [{ client_id: "nobody", prompt: "none" }, "client.unknown"],
        [{ client_id: "nobody", prompt: undefined }, "client.unknown"],
      ])) {
        await console.reset();
        await ask(hush, `/authorize${new URL(authorizeURL(hush, change)).search}`, { headers: frame });
        const flow = await console.flowWith(reason);
        const { page } = await stage.newTab();
        await page.goto(`${hush.issuer}/console`);
        await page.waitForSelector(`#flow-more[data-flow="${flow.id}"]`);
        const caption = await text(page, "li[data-step='2'] .step-head");
        assert.match(caption, /a page, without a redirect/);
        assert.doesNotMatch(caption, /validates its session cookie|By its session cookie|redirects it back/);
        await page.close();
      }
    },
  );

  scene("lists a flow with its steps beside the title and its reasons below, also on a phone", async (stage) => {
    const { hush, newTab } = stage;
    const console = new Console(hush);
    await console.reset();
    const { search } = new URL(authorizeURL(hush, { client_id: "a-client-whose-name-is-longer-than-a-line" }));
    await ask(hush, `/authorize${search}`, { headers: { "sec-fetch-dest": "iframe" } });
    await console.flowWith("page.in_iframe");
    const { page } = await newTab();
    for (const width of [390, 1280]) {
      await page.setViewport({ width, height: 800 });
      await page.goto(`${hush.issuer}/console`);
      await page.waitForSelector("#flow-list .tag");
      const [title, steps, tag] = await page.$$eval("#flow-list strong, #flow-list .pips, #flow-list .tag", (all) =>
        all.map((element) => element.getBoundingClientRect().toJSON()),
      );
      assert.ok(steps.top < title.bottom && title.top < steps.bottom, `the steps are beside the title at ${width} px`);
      assert.ok(steps.left > title.right && tag.top > steps.bottom, `the reasons are below at ${width} px`);
      assert.equal(tag.left, title.left, `the first reason begins where the title does at ${width} px`);
    }
  });

  scene("marks the addresses of a client whose port is free", async ({ hush, newTab }) => {
    const uris = ["http://localhost:5173/cb", "https://localhost:5173/cb"];
    const added = { token_endpoint_auth_method: "none", redirect_uris: uris };
    const { any_port } = await new Console(hush).do("PUT", "/console/clients/two-ports", added);
    assert.deepEqual(any_port, [uris[0]]);
    const { page } = await newTab();
    await page.goto(`${hush.issuer}/console#clients`);
    await page.waitForSelector("#client-two-ports");
    const shown = await page.$$eval("#client-two-ports li", (items) => items.map((item) => item.textContent));
    assert.deepEqual(shown.slice(0, 2), [`${uris[0]} any port`, uris[1]]);
    await new Console(hush).do("DELETE", "/console/clients/two-ports");
  });

  scene("names a renewal by refresh token", async ({ hush, newTab }) => {
    const console = new Console(hush);
    await console.reset();
    await postToken(hush, "grant_type=refresh_token&client_id=spa&refresh_token=x");
    const { page } = await newTab();
    await page.goto(`${hush.issuer}/console`);
    await page.waitForSelector("#flow-list li");
    assert.equal(await page.$eval("#flow-list strong", (title) => title.textContent), "Renewal by refresh token");
  });

  scene(
    "exports one flow as a Mermaid diagram and as a transcript in which no secret stands",
    async ({ hush, newTab }) => {
      const { page } = await newTab();
      await signIn(page, hush, "spa");
      const console = new Console(hush);
      await console.reset();
      const codes = /** @type {string[]} */ ([]);
      page.on("response", (response) => {
        const code = new URL(response.url()).searchParams.get("code");
        if (code) codes.push(code);
      });
      await renew(page);
      const flow = await console.flow(({ silent, state }) => silent && state === "done", "the renewal");
      assert.deepEqual(codesOf(flow), []);
      const mermaid = (await ask(hush, `/console/flows/${flow.id}?format=mermaid`)).body;
      const transcript = (await ask(hush, `/console/flows/${flow.id}?format=transcript`)).body;
      assert.match(mermaid, /^sequenceDiagram/m);
      assert.match(transcript, /code_challenge/);
      const tokens = await page.evaluate(() => Object.values(sessionStorage).join());
      const { access_token, id_token } = JSON.parse(tokens.slice(tokens.indexOf("{"), tokens.lastIndexOf("}") + 1));
      const everything = JSON.stringify(flow) + mermaid + transcript;
      assert.ok(codes.length > 0);
      for (const secret of [...codes, access_token, id_token]) {
        assert.ok(!everything.includes(secret), `a secret stands in the export: ${secret}`);
        assert.ok(!everything.includes(secret.split(".")[2] ?? secret), "not even a signature");
      }
    },
  );

  scene("an error page may be framed by the registered origin that asked, and by no other", async ({ hush }) => {
    const framed = { "sec-fetch-dest": "iframe", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
    for (const { uri, headers, ancestors } of [
      { uri: `${hush.app}/unregistered`, headers: framed, ancestors: hush.app },
      { uri: `${hush.app}/unregistered`, headers: {}, ancestors: "'none'" },
      { uri: "https://evil.example/", headers: framed, ancestors: "'none'" },
      { uri: "https://evil.example/", headers: { ...framed, referer: "https://evil.example/" }, ancestors: "'none'" },
      { uri: "nonsense", headers: framed, ancestors: "'none'" },
    ]) {
      const { search } = new URL(authorizeURL(hush, { redirect_uri: uri }));
      const answer = await ask(hush, `/authorize${search}`, { headers });
      assert.equal(answer.status, 400);
      const policy = String(answer.headers["content-security-policy"]);
      assert.equal(/frame-ancestors ([^;]*)/.exec(policy)?.[1], ancestors, uri);
    }
  });

  scene("has a hidden iframe for the demo's probe, and for no other page", async ({ hush: programs, newTab }) => {
    const hush = programs.at(crossSite);
    const { page } = await newTab();
    await openApp(page, hush, "spa");
    const probe = await ask(hush, `/console/probe?origin=${encodeURIComponent(hush.app)}`);
    assert.match(String(probe.headers["content-security-policy"]), new RegExp(`frame-ancestors ${hush.app}(;|$)`));
    for (const origin of ["https://evil.example", "null", "", hush.issuer.replace("http", "https")]) {
      assert.equal((await ask(hush, `/console/probe?origin=${encodeURIComponent(origin)}`)).status, 400, origin);
    }
  });
});

/** @param {Hush} hush @param {string} body */
function postToken(hush, body) {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return ask(hush, "/token", { method: "POST", headers, body });
}

/**
 * Nothing can be read or done with these headers, even with the token.
 * @param {Hush} hush
 * @param {Headers} headers
 */
async function assertRefused(hush, headers) {
  const token = await new Console(hush).token();
  const all = [...reads.map((path) => /** @type {const} */ (["GET", path])), ...deeds];
  for (const [method, path] of all) {
    const sent = { "x-hush-csrf": token, ...headers };
    const answer = await ask(hush, path, { method, headers: sent });
    assert.equal(answer.status, 403, `${method} ${path} ${JSON.stringify(headers)}`);
    assert.equal(answer.headers["access-control-allow-origin"], undefined, path);
  }
}
