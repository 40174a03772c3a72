// openid-client, what server-side JavaScript uses: every flow it has that the provider supports.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as client from "openid-client";
import { startProvider } from "../harness/provider.js";
import { Visitor } from "../harness/visitor.js";
import { callback, keys, registered } from "./openidclient.js";

/** @type {import("../harness/provider.js").Provider} */
let provider;

/** What openid-client knows about a client, and how it proves to be that. @typedef {{ metadata?: Partial<client.ClientMetadata>, proof?: client.ClientAuth }} As */

/**
 * The client, configured by discovery.
 * @param {string} id
 * @param {As} [as]
 */
function discover(id, { metadata = {}, proof } = {}) {
  const options = { execute: [client.allowInsecureRequests] }; // http on loopback
  return client.discovery(new URL(provider.issuer), id, metadata, proof, options);
}

/** What a request and its answer share. */
async function attempt(scope = "openid profile") {
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const parameters = {
    redirect_uri: callback,
    scope,
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  };
  return { parameters, checks: { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce } };
}

/**
 * Signs alice in at the address of a request and redeems the code.
 * @param {client.Configuration} config
 * @param {URL} request
 * @param {Awaited<ReturnType<typeof attempt>>["checks"]} checks
 * @param {client.DPoPOptions} [options]
 */
async function finish(config, request, checks, options) {
  const { url } = await new Visitor(provider.issuer).visit(request);
  assert.equal(url.origin + url.pathname, callback);
  return client.authorizationCodeGrant(config, url, checks, undefined, options);
}

/**
 * The code flow with PKCE, state and nonce.
 * @param {client.Configuration} config
 * @param {{ scope?: string, more?: Record<string, string>, options?: client.DPoPOptions }} [how]
 */
async function signIn(config, { scope, more = {}, options } = {}) {
  const { parameters, checks } = await attempt(scope);
  return finish(config, client.buildAuthorizationUrl(config, { ...parameters, ...more }), checks, options);
}

/** @param {client.TokenEndpointResponse & client.TokenEndpointResponseHelpers} tokens */
function sub(tokens) {
  return tokens.claims()?.sub;
}

/** The code of the error that a refused request has. @param {Promise<unknown>} refused */
async function errorOf(refused) {
  try {
    await refused;
  } catch (error) {
    if (error instanceof client.ResponseBodyError || error instanceof client.AuthorizationResponseError)
      return error.error;
    throw error;
  }
  return "none";
}

const offline = { scope: "openid offline_access", more: { prompt: "consent" } };
const secret = client.ClientSecretBasic("basic-secret");

describe("openid-client", () => {
  before(async () => {
    provider = await startProvider({ clients: registered, signing_keys: [{ alg: "RS256" }, { alg: "ES256" }] });
  });
  after(() => provider?.stop());

  test("discovery, the code flow with PKCE, state, nonce and iss, and userinfo", async () => {
    const config = await discover("basic", { proof: secret });
    const tokens = await signIn(config);
    assert.equal(sub(tokens), "alice");
    const info = await client.fetchUserInfo(config, tokens.access_token, "alice");
    assert.equal(info.name, "Alice Archer");
  });

  test("discovery by RFC 8414", async () => {
    const config = await client.discovery(new URL(provider.issuer), "basic", {}, secret, {
      algorithm: "oauth2",
      execute: [client.allowInsecureRequests],
    });
    assert.equal(sub(await signIn(config)), "alice");
  });

  test("an ID token signed with ES256, for a client that registered that", async () => {
    const config = await discover("es256", {
      proof: client.ClientSecretPost("es256-secret"),
      metadata: { id_token_signed_response_alg: "ES256" },
    });
    assert.equal(sub(await signIn(config)), "alice");
  });

  test("a refused consent is access_denied", async () => {
    const config = await discover("reader");
    const { parameters, checks } = await attempt();
    const asked = client.buildAuthorizationUrl(config, { ...parameters });
    const { url } = await new Visitor(provider.issuer).visit(asked, "deny");
    assert.equal(await errorOf(client.authorizationCodeGrant(config, url, checks)), "access_denied");
  });

  test("refresh: rotated, and the token before the last ends the family", async () => {
    const config = await discover("reader");
    const first = await signIn(config, offline);
    assert.ok(first.refresh_token);
    const second = await client.refreshTokenGrant(config, first.refresh_token);
    assert.ok(second.refresh_token && second.refresh_token !== first.refresh_token);
    const third = await client.refreshTokenGrant(config, second.refresh_token);
    assert.ok(third.refresh_token);
    assert.equal(await errorOf(client.refreshTokenGrant(config, first.refresh_token)), "invalid_grant");
    assert.equal(await errorOf(client.refreshTokenGrant(config, third.refresh_token)), "invalid_grant");
  });

  test("DPoP: bound tokens, the server's nonce, userinfo, refresh", async () => {
    const config = await discover("reader");
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
    const jkt = await DPoP.calculateThumbprint();
    const bound = { ...offline, more: { ...offline.more, dpop_jkt: jkt }, options: { DPoP } };
    const tokens = await signIn(config, bound);
    assert.equal(tokens.token_type, "dpop"); // the library writes it small
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, "alice", { DPoP })).sub, "alice");
    assert.ok(tokens.refresh_token);
    const renewed = await client.refreshTokenGrant(config, tokens.refresh_token, {}, { DPoP });
    assert.equal((await client.fetchUserInfo(config, renewed.access_token, "alice", { DPoP })).sub, "alice");
    const other = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
    await assert.rejects(client.fetchUserInfo(config, renewed.access_token, "alice", { DPoP: other }));
  });

  test("PAR: the request is pushed, and its address is good once", async () => {
    const config = await discover("basic", { proof: secret });
    const { parameters, checks } = await attempt();
    const pushed = await client.buildAuthorizationUrlWithPAR(config, parameters);
    assert.deepEqual([...pushed.searchParams.keys()].sort(), ["client_id", "request_uri"]);
    assert.equal(sub(await finish(config, pushed, checks)), "alice");
    const { page } = await new Visitor(provider.issuer).visit(pushed);
    assert.match(page, /request_uri/);
  });

  test("JAR: a signed request object by value, and pushed", async () => {
    const config = await discover("key", { proof: client.PrivateKeyJwt(keys.signing.private) });
    const { parameters, checks } = await attempt();
    const signed = await client.buildAuthorizationUrlWithJAR(config, parameters, keys.signing.private);
    assert.deepEqual([...signed.searchParams.keys()].sort(), ["client_id", "request"]);
    assert.equal(sub(await finish(config, signed, checks)), "alice");

    const second = await attempt();
    const object = await client.buildAuthorizationUrlWithJAR(config, second.parameters, keys.signing.private);
    const pushed = await client.buildAuthorizationUrlWithPAR(config, object.searchParams);
    assert.equal(sub(await finish(config, pushed, second.checks)), "alice");
  });

  test("JARM: the answer is a signed JWT", async () => {
    const config = await discover("jarm", { proof: client.ClientSecretPost("jarm-secret") });
    client.useJwtResponseMode(config);
    const { parameters, checks } = await attempt();
    const asked = client.buildAuthorizationUrl(config, parameters);
    const { url } = await new Visitor(provider.issuer).visit(asked);
    assert.deepEqual([...url.searchParams.keys()], ["response"]);
    assert.equal(sub(await client.authorizationCodeGrant(config, url, checks)), "alice");
  });

  for (const [method, id, proof] of /** @type {[string, string, client.ClientAuth][]} */ ([
    ["client_secret_basic", "basic", secret],
    ["client_secret_post", "es256", client.ClientSecretPost("es256-secret")],
    ["client_secret_jwt", "mac", client.ClientSecretJwt("the-secret-of-mac-has-32-characters-or-more")],
    ["private_key_jwt", "key", client.PrivateKeyJwt(keys.signing.private)],
  ])) {
    test(`client credentials by ${method}, introspection and revocation`, async () => {
      const config = await discover(id, { proof });
      const { access_token: token } = await client.clientCredentialsGrant(config, { scope: "api.read" });
      const known = await client.tokenIntrospection(config, token);
      assert.deepEqual([known.active, known.client_id, known.scope], [true, id, "api.read"]);
      await client.tokenRevocation(config, token);
      assert.equal((await client.tokenIntrospection(config, token)).active, false);
    });
  }

  test("introspection as a signed JWT", async () => {
    const metadata = { introspection_signed_response_alg: "RS256" };
    const config = await discover("sealed", { proof: client.ClientSecretPost("sealed-secret"), metadata });
    const { access_token: token } = await client.clientCredentialsGrant(config, {});
    assert.equal((await client.tokenIntrospection(config, token)).active, true);
  });

  test("a revoked refresh token takes the access tokens with it", async () => {
    const config = await discover("reader");
    const tokens = await signIn(config, offline);
    assert.ok(tokens.refresh_token);
    await client.tokenRevocation(config, tokens.refresh_token);
    assert.equal(await errorOf(client.refreshTokenGrant(config, tokens.refresh_token)), "invalid_grant");
    await assert.rejects(client.fetchUserInfo(config, tokens.access_token, "alice"));
  });

  test("the device flow: the device polls while a person types the code elsewhere", async () => {
    const config = await discover("tv");
    const started = await client.initiateDeviceAuthorization(config, { scope: "openid profile" });
    const polling = client.pollDeviceAuthorizationGrant(config, { ...started, interval: 1 });
    const { page } = await new Visitor(provider.issuer).visit(started.verification_uri_complete ?? "");
    assert.match(page, /device-allowed/);
    assert.equal(sub(await polling), "alice");
  });

  test("an encrypted ID token, and encrypted and signed userinfo", async () => {
    const metadata = { userinfo_signed_response_alg: "RS256" };
    const config = await discover("sealed", { proof: client.ClientSecretPost("sealed-secret"), metadata });
    client.enableDecryptingResponses(config, ["A256GCM"], {
      key: keys.encryption.private,
      alg: "ECDH-ES+A256KW",
      kid: "enc",
    });
    const tokens = await signIn(config);
    assert.equal(tokens.id_token?.split(".").length, 5);
    const info = await client.fetchUserInfo(config, tokens.access_token, sub(tokens) ?? "");
    assert.equal(info.name, "Alice Archer");
  });

  test("signed userinfo", async () => {
    const metadata = { userinfo_signed_response_alg: "RS256" };
    const config = await discover("jarm", { proof: client.ClientSecretPost("jarm-secret"), metadata });
    const tokens = await signIn(config);
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, "alice")).name, "Alice Archer");
  });

  test("the FAPI 2.0 Security Profile: private_key_jwt, PAR and DPoP, and nothing less", async () => {
    const config = await discover("bank", { proof: client.PrivateKeyJwt(keys.signing.private) });
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
    const { parameters, checks } = await attempt();
    const pushed = await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP });
    const tokens = await finish(config, pushed, checks, { DPoP });
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, "alice", { DPoP })).sub, "alice");

    const { url } = await new Visitor(provider.issuer).visit(client.buildAuthorizationUrl(config, parameters));
    assert.equal(url.searchParams.get("error"), "invalid_request", "a request that was not pushed");
  });

  test("dynamic registration, then the code flow with what was registered", async () => {
    const metadata = {
      redirect_uris: [callback],
      client_name: "Registered by itself",
      token_endpoint_auth_method: "client_secret_post", // what the library then does
    };
    const options = { execute: [client.allowInsecureRequests] };
    const config = await client.dynamicClientRegistration(new URL(provider.issuer), metadata, undefined, options);
    assert.ok(config.clientMetadata().client_secret);
    assert.ok(sub(await signIn(config)));
  });

  test("the address of RP-initiated logout ends the session", async () => {
    const config = await discover("basic", { proof: secret });
    const visitor = new Visitor(provider.issuer);
    const { parameters, checks } = await attempt();
    const { url } = await visitor.visit(client.buildAuthorizationUrl(config, parameters));
    const tokens = await client.authorizationCodeGrant(config, url, checks);
    const ending = client.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token ?? "",
      post_logout_redirect_uri: callback,
      state: "bye",
    });
    assert.equal((await visitor.visit(ending)).url.href, `${callback}?state=bye`);
    const silent = client.buildAuthorizationUrl(config, { ...parameters, prompt: "none" });
    assert.equal((await visitor.visit(silent)).url.searchParams.get("error"), "login_required");
  });
});
