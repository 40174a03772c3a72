// The tab Try it of the console: requests by hand, and the rule that decided about each.

import assert from "node:assert/strict";
import { findings } from "./harness/axe.js";
import { demoClients } from "./harness/clients.js";
import { Console } from "./harness/console.js";
import { sameSite } from "./harness/hush.js";
import { clickLogin } from "./harness/person.js";
import { scenes } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./harness/hush.js").Hush} Hush */

/**
 * Opens the tab and chooses. With callback the client has the redirect URI of the console.
 * @param {Page} page
 * @param {Hush} hush
 * @param {{ flow: string, client?: string, user?: string, callback?: boolean }} choice
 */
async function choose(page, hush, { flow, client = "spa", user = "", callback = true }) {
  await page.goto(`${hush.issuer}/console#try`);
  await page.waitForSelector("#console[data-ready=true]");
  await page.waitForSelector("#try-steps > li");
  await page.select("#try-flow", flow);
  await page.select("#try-client", client);
  await page.select("#try-user", user);
  await page.waitForSelector("#try-steps > li");
  const needed = await page.$eval("#try-register", (element) => !(element instanceof HTMLElement && element.hidden));
  if (!callback || !needed) return;
  await page.click("#try-register-now");
  await page.waitForSelector("#message.good");
}

/** The selector of a step, from 1. @param {number} number */
function step(number) {
  return `#try-steps > li:nth-child(${number})`;
}

/** Types another value. @param {Page} page @param {number} number of the step @param {string} name @param {string} value */
async function type(page, number, name, value) {
  const field = `${step(number)} li[data-name="${name}"] input.value`;
  await page.$eval(`${field}`, (input) => void (input instanceof HTMLInputElement && input.select()));
  await page.type(field, value);
}

/** Sends a step, and waits for what the provider checked. @param {Page} page @param {number} number */
async function send(page, number) {
  await press(page, number);
  return answered(page, number);
}

/** Presses the button of a step, by the keyboard. @param {Page} page @param {number} number */
async function press(page, number) {
  await page.focus(`${step(number)} .button.primary`);
  await page.keyboard.press("Enter");
}

/** @param {Page} page @param {number} number */
async function answered(page, number) {
  await page.waitForSelector(`${step(number)} .try-answer .checks`);
  return page.$eval(step(number), (element) => ({
    status: element.querySelector("[role=status]")?.textContent ?? "",
    answer: element.querySelector(".try-answer")?.textContent ?? "",
    reason: element.querySelector("[data-reason]")?.getAttribute("data-reason") ?? "",
    page: element.querySelector(".note a")?.getAttribute("href") ?? "",
    failed: [...element.querySelectorAll('.checks > li[data-outcome="failed"] p')].map((p) => p.textContent ?? ""),
  }));
}

/** What Check my app says of requests of the client: nothing of those that the console sent. @param {Hush} hush @param {string} client */
async function judged(hush, client) {
  const { findings: all } = await new Console(hush).read(`/console/checks?client=${client}`);
  return all.filter((/** @type {{ flow?: string }} */ { flow }) => flow);
}

/** Runs in the page. @param {string} selector @param {string} words */
function says(selector, words) {
  return document.querySelector(selector)?.textContent?.includes(words) ?? false;
}

/** Sends the authorization request, and takes the window that it opens. @param {Page} page */
async function sendInWindow(page) {
  const opened = /** @type {Promise<Page>} */ (
    new Promise((resolve) => page.once("popup", (popup) => popup && resolve(popup)))
  );
  await press(page, 1);
  return opened;
}

/** A confidential client with every grant type. */
const server = {
  client_id: "server",
  client_secret: "server's secret/+",
  first_party: true,
  grant_types: [
    ...["authorization_code", "refresh_token", "client_credentials"],
    "urn:ietf:params:oauth:grant-type:device_code",
  ],
  redirect_uris: ["http://localhost:9090/server/callback"],
};

const config = { clients: [...demoClients("90s"), server], refresh: { grace: "0s" } };

scenes("try it", { layout: sameSite, cookies: "blocked", config }, (scene) => {
  scene(
    "the code flow with PKCE: a person signs in in a window, and the client gets tokens",
    async ({ hush, newTab }) => {
      const { page } = await newTab();
      await choose(page, hush, { flow: "code" });
      const opened = await sendInWindow(page);
      await clickLogin(opened, "alice");
      const first = await answered(page, 1);
      assert.match(first.answer, /console\/callback/);
      assert.match(first.answer, /a code is issued/);
      const code = await page.$eval(
        `${step(2)} li[data-name=code] input.value`,
        (input) => /** @type {any} */ (input).value,
      );
      assert.ok(code.length > 20, "the code is filled into the next request");
      const second = await send(page, 2);
      assert.match(second.status, /^200/);
      assert.match(second.answer, /"id_token"/);
      await page.waitForSelector("#try-diagram ol.diagram li");
      await page.waitForSelector(`${step(2)} .note.warn[data-reason="claims.unasked"]`);
      const tags = (/** @type {string} */ where) =>
        page.$$eval(`${where} .tag`, (all) => all.map(({ className, textContent }) => `${className} ${textContent}`));
      for (const where of ["#try-diagram", "#flow-list", "#flow-diagram"])
        assert.ok((await tags(where)).includes("tag warn claims.unasked"), `${where}: ${await tags(where)}`);
      const again = await send(page, 2);
      assert.match(again.status, /^400/);
      assert.equal(again.reason, "code.replayed");
      assert.ok(again.page.endsWith("/reasons/code.replayed"), again.page);
    },
  );

  scene("a wrong code_verifier is refused, and the rule says so", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await choose(page, hush, { flow: "silent", user: "alice" });
    await page.click("#try-sign-in");
    await page.waitForSelector("#message.good");
    await send(page, 1);
    await type(page, 2, "code_verifier", "w".repeat(43));
    const { status, reason, failed } = await send(page, 2);
    assert.match(status, /^400/);
    assert.equal(reason, "pkce.mismatch");
    assert.match(failed.join(), /SHA-256 of code_verifier is the code_challenge.*RFC 7636 §4.6/);
    assert.deepEqual(await judged(hush, "spa"), []);
  });

  scene(
    "silent, in a hidden iframe: an error while signed out, and tokens while signed in",
    async ({ hush, newTab }) => {
      const { page } = await newTab();
      await choose(page, hush, { flow: "silent" });
      const out = await send(page, 1);
      assert.match(out.status, /login_required/);
      assert.equal(out.reason, "session.none");
      assert.match(out.failed.join(), /a user is signed in/);
      await page.select("#try-user", "alice");
      await page.click("#try-sign-in");
      await page.waitForSelector("#message.good");
      assert.match((await send(page, 1)).answer, /a code is issued/);
      assert.match((await send(page, 2)).answer, /"access_token"/);
      assert.equal((await page.$$("iframe")).length, 0, "the iframe is gone");
    },
  );

  scene(
    "an unregistered redirect URI: the window shows the provider's page, the console the rule",
    async ({ hush, newTab }) => {
      const { page } = await newTab();
      await choose(page, hush, { flow: "code" });
      await type(page, 1, "redirect_uri", "http://localhost:1/elsewhere");
      const opened = await sendInWindow(page);
      const { status, reason, failed } = await answered(page, 1);
      await opened.close();
      assert.match(status, /No answer came to this console$/);
      assert.equal(reason, "redirect.unregistered");
      assert.match(failed.join(), /redirect_uri is registered for the client/);
    },
  );

  scene("a parameter that is left out, and one that is sent twice", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await choose(page, hush, { flow: "silent" });
    await page.click(`${step(1)} li[data-name=code_challenge] input[type=checkbox]`);
    await page.click(`${step(1)} li[data-name=code_challenge_method] input[type=checkbox]`);
    const shown = await page.$eval(`${step(1)} pre`, (pre) => pre.textContent ?? "");
    assert.ok(!shown.includes("code_challenge") && shown.includes("\n  &prompt=none"), shown);
    assert.equal((await send(page, 1)).reason, "pkce.missing");
    await page.click(`${step(1)} li[data-name=nonce] button`);
    assert.match((await send(page, 1)).failed.join(), /no parameter is sent more than once/);
  });

  scene("without the console's redirect URI the console shows what the provider saw", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await choose(page, hush, { flow: "code", client: "web", callback: false });
    const opened = await sendInWindow(page);
    await opened.waitForSelector("#username");
    await page.waitForSelector("#try-register:not([hidden])");
    assert.match(await page.$eval("#try-register-now", (b) => b.textContent ?? ""), /console\/callback for web/);
    assert.match(await page.$eval("#try-register", (note) => note.textContent ?? ""), /the hidden iframe stays empty/);
    await clickLogin(opened, "alice");
    const { status, answer } = await answered(page, 1);
    await opened.close();
    assert.match(status, /No answer came to this console\. Register its address for web with the button above/);
    assert.match(answer, /303 to .*\/web\/callback/);

    await choose(page, hush, { flow: "silent", client: "web", callback: false });
    assert.match((await send(page, 1)).answer, /303 to .*\/web\/callback/);
    assert.deepEqual(await judged(hush, "web"), [], "requests with the redirect URI of the app");
  });

  scene(
    "the redirect URI of a request is that of the newest request of the app, with its port",
    async ({ hush, newTab }) => {
      const proposed = async () => {
        const { page } = await newTab();
        await choose(page, hush, { flow: "code", client: "server", callback: false });
        return page.$eval(`${step(1)} pre`, (pre) =>
          new URLSearchParams((pre.textContent ?? "").replace(/\s/g, "")).get("redirect_uri"),
        );
      };
      assert.equal(await proposed(), "http://localhost:9090/server/callback", "as it is registered");
      const { page: app } = await newTab();
      const redirect_uri = "http://localhost:5173/server/callback";
      const params = { client_id: "server", redirect_uri, response_type: "code", scope: "openid" };
      await app.goto(`${hush.issuer}/authorize?${new URLSearchParams(params)}`);
      assert.equal(await proposed(), redirect_uri);
    },
  );

  for (const method of ["client_secret_basic", "client_secret_post"])
    scene(`client credentials by ${method}: a wrong secret, and the right one`, async ({ hush, newTab }) => {
      const { page } = await newTab();
      await choose(page, hush, { flow: "client", client: "server" });
      await page.select("#try-method", method);
      await press(page, 1);
      await page.waitForFunction(says, {}, `${step(1)} [role=status]`, "Type the client_secret first");
      await page.type("#try-secret", "wrong");
      assert.match((await send(page, 1)).status, /^401/);
      await page.$eval("#try-secret", (input) => void (input instanceof HTMLInputElement && input.select()));
      await page.type("#try-secret", server.client_secret);
      const { status, answer } = await send(page, 1);
      assert.match(status, /^200/);
      assert.match(answer, /"access_token"/);
    });

  scene("the field client_secret is shown only for a client that has a secret", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await choose(page, hush, { flow: "client", client: "spa" });
    await page.waitForSelector("#try-secret", { hidden: true });
    await page.select("#try-client", "server");
    await page.waitForSelector("#try-secret", { visible: true });
  });

  scene("PAR: the client pushes the request, and the browser carries its name", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await choose(page, hush, { flow: "par", user: "alice" });
    await page.click("#try-sign-in");
    await page.waitForSelector("#message.good");
    assert.match((await send(page, 1)).status, /^201/);
    const shown = await page.$eval(`${step(2)} pre`, (pre) => pre.textContent ?? "");
    assert.match(shown, /request_uri=urn/);
    await press(page, 2);
    assert.match((await answered(page, 2)).answer, /a code is issued/);
    assert.match((await send(page, 3)).answer, /"id_token"/);
  });

  scene("device: the person allows it in a browser, and the device asks again", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await choose(page, hush, { flow: "device", client: "server", user: "alice" });
    await page.click("#try-sign-in");
    await page.waitForSelector("#message.good");
    await page.type("#try-secret", server.client_secret);
    const { answer } = await send(page, 1);
    assert.match((await send(page, 2)).answer, /authorization_pending/);
    const person = await newTab();
    const address = await page.$eval(`${step(1)} .try-answer a[href*="user_code"]`, (a) => a.getAttribute("href"));
    assert.ok(address && answer.includes(address), `${address} is a link`);
    await person.page.goto(address);
    await Promise.all([person.page.waitForNavigation(), person.page.click("button[value=allow]")]);
    await page.bringToFront();
    assert.match((await send(page, 2)).answer, /"access_token"/);
  });

  scene("refresh: the refresh token of the code flow is filled in, and spent once", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await choose(page, hush, { flow: "code", user: "alice" });
    await page.click("#try-sign-in");
    await page.waitForSelector("#message.good");
    await type(page, 1, "scope", "openid offline_access");
    const opened = await sendInWindow(page);
    await opened.waitForNetworkIdle().catch(() => undefined); // it closes by itself
    await answered(page, 1);
    assert.match((await send(page, 2)).answer, /"refresh_token"/);
    await page.select("#try-flow", "refresh");
    await page.waitForSelector(`${step(1)} li[data-name=refresh_token]`);
    assert.match((await send(page, 1)).answer, /"refresh_token"/);
    assert.equal((await send(page, 1)).reason, "refresh.replayed");
  });

  scene(
    "the ID token of an answer is checked, then with a changed signature and for another client",
    async ({ hush, newTab }) => {
      const { page } = await newTab();
      await choose(page, hush, { flow: "silent", user: "alice" });
      await page.click("#try-sign-in");
      await page.waitForSelector("#message.good");
      await send(page, 1);
      await send(page, 2);
      const buttons = await page.$$(`${step(2)} .try-answer button`);
      await buttons.at(-1)?.click();
      await page.waitForSelector("#jwt-answer .checks");
      assert.deepEqual(await failedChecks(page), []);
      assert.equal((await page.$$('#jwt-answer [data-outcome="noted"]')).length, 0, "each check is made");

      assert.deepEqual(await findings(page), [], "axe");
      const token = await page.$eval("#jwt-token", (area) => /** @type {any} */ (area).value);
      const [head, claims, signature] = token.split(".");
      const changed = `${head}.${claims}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
      assert.match((await check(page, changed, "spa")).join(), /^Not so: the signature is the key's/);
      const foreign = await check(page, token, "web");
      assert.match(foreign.join(), /aud contains the client_id; got "spa", not web.*Core §3.1.3.7/);
    },
  );

  scene(
    "an expired token, one of another issuer, an access token and an encrypted one are checked",
    async ({ hush, newTab }) => {
      const { page } = await newTab();
      const console = new Console(hush);
      const old = await console.do("POST", "/console/tokens", { client: "spa", user: "alice", expired: true });
      await choose(page, hush, { flow: "code" });
      assert.match((await check(page, `Bearer ${old.id_token}`, "spa")).join(), /exp has not passed/);
      assert.match(await shown(page), /An ID token\. Failed checks: 1 of \d+\./);
      const { exp } = JSON.parse(Buffer.from(old.id_token.split(".")[1], "base64url").toString());
      const time = new Date(exp * 1000).toISOString().replace(".000", "");
      assert.ok((await shown(page)).includes(`"exp": ${exp},  ${time}\n`), await shown(page));
      assert.equal(await page.$eval("#jwt-answer", (element) => element.getAttribute("data-kind")), "id_token");
      assert.match((await check(page, old.access_token, "")).join(), /exp is in the future/);
      assert.equal(await page.$eval("#jwt-answer", (element) => element.getAttribute("data-kind")), "access_token");

      const part = (/** @type {object} */ of) => Buffer.from(JSON.stringify(of)).toString("base64url");
      const foreign = `${part({ alg: "RS256" })}.${part({ iss: "https://other.example" })}.c2ln`;
      assert.match((await check(page, foreign, "spa")).join(), /iss is this provider; got "https:\/\/other.example"/);
      assert.match(await shown(page), /Not checked: the signature .* because the key set is not this provider's/);
      assert.deepEqual(await check(page, `${part({ alg: "RSA-OAEP" })}.a.b.c.d`, "spa"), []);
      assert.match(await shown(page), /An encrypted token.*RSA-OAEP.*private key of the recipient/s);
    },
  );

  scene("the answer in a fragment, as a message and as a signed JWT is read", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await choose(page, hush, { flow: "silent", user: "alice" });
    await page.click("#try-sign-in");
    await page.waitForSelector("#message.good");
    const code = `${step(2)} li[data-name=code] input.value`;
    const codes = new Set();
    for (const mode of ["fragment", "web_message", "query.jwt"]) {
      await page.$eval(`${step(1)} details:has([data-name=response_mode])`, (one) => one.setAttribute("open", ""));
      await type(page, 1, "response_mode", mode);
      assert.match((await send(page, 1)).status, /came back with an answer/, mode);
      codes.add(await page.$eval(code, (input) => /** @type {any} */ (input).value));
    }
    assert.equal(codes.size, 3, `each answer has a code: ${[...codes]}`);
  });

  scene("what the token would be: each claim with its cause", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await choose(page, hush, { flow: "code", callback: false });
    const claims = '{"id_token": {"given_name": null}}';
    await page.$eval("#preview-scope", (input) => void Object.assign(input, { value: "openid email unknown" }));
    await page.$eval("#preview-claims", (input, value) => void Object.assign(input, { value }), claims);
    await page.click("#preview-show");
    const cause = (/** @type {string} */ place, /** @type {string} */ name) =>
      page.$eval(`dl[data-place="${place}"] dd[data-claim="${name}"]`, (dd) => dd.textContent ?? "");
    await page.waitForSelector("#preview-answer dl[data-place=Userinfo]");
    assert.match(await cause("ID token", "given_name"), /^Alice.*the parameter claims asks for it.*Core §5.5/);
    assert.match(await cause("Userinfo", "email"), /^alice@example.com.*scope email covers it/);
    assert.match(await cause("Access token", "scope"), /^openid email/);
    assert.match(await cause("ID token", "exp"), /^\d+ \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/);
    assert.equal((await page.$$('dl[data-place="ID token"] dd[data-claim=email]')).length, 0);
    const shown = await page.$eval("#preview-answer", (element) => element.textContent ?? "");
    assert.match(shown, /"unknown" was left out/);
    await page.select("#preview-user", "");
    await page.click("#preview-show");
    await page.waitForFunction(() => !document.querySelector("#preview-answer dl[data-place=Userinfo]"));
    await page.waitForSelector('#preview-answer dl[data-place="Access token"]');
  });
});

/** Checks a token of a client. Returns the checks that fail. @param {Page} page @param {string} token @param {string} client */
async function check(page, token, client) {
  await page.$eval("#jwt-form button[type=reset]", (button) => button instanceof HTMLElement && button.click());
  await page.$eval("#jwt-token", (area, value) => void Object.assign(area, { value }), token);
  await page.$eval("#jwt-client", (input, value) => void Object.assign(input, { value }), client);
  await page.click("#jwt-check");
  await page.waitForSelector("#jwt-answer .checks");
  return failedChecks(page);
}

/** @param {Page} page */
function failedChecks(page) {
  return page.$$eval('#jwt-answer [data-outcome="failed"] p', (list) => list.map((p) => p.textContent ?? ""));
}

/** @param {Page} page */
function shown(page) {
  return page.$eval("#jwt-answer", (element) => element.textContent ?? "");
}
