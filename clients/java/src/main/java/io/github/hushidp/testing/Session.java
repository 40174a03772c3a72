package io.github.hushidp.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/** A signed-in browser, by its cookies: with name, value, url and the other members that WebDriver takes. */
public record Session(Hush hush, JsonArray cookies) {

  /**
   * Does what a hidden iframe does: it asks with prompt=none and PKCE, and exchanges the code for tokens. A public client
   * has no secret.
   *
   * @return the answer of the token endpoint
   * @throws HushError with the error code of the provider, such as login_required
   */
  public JsonObject renew(String client, String redirectUri) {
    var verifier = verifier();
    var query = Hush.form(Map.of(
        "client_id", client, "redirect_uri", redirectUri, "response_type", "code", "prompt", "none",
        "scope", "openid", "code_challenge", challenge(verifier), "code_challenge_method", "S256"));
    var redirect = Hush.send(HttpRequest.newBuilder(URI.create(hush.issuer() + "/authorize?" + query))
        .header("Cookie", header()));
    var answer = parameters(redirect.headers().firstValue("Location").orElse(""));
    if (!answer.containsKey("code")) {
      var message = answer.getOrDefault("error_description", "the authorization endpoint showed a page");
      throw new HushError(message, answer.getOrDefault("error", ""), 0);
    }
    var form = Hush.form(Map.of(
        "grant_type", "authorization_code", "client_id", client, "redirect_uri", redirectUri,
        "code", answer.get("code"), "code_verifier", verifier));
    var response = Hush.send(HttpRequest.newBuilder(URI.create(hush.issuer() + "/token"))
        .header("Content-Type", "application/x-www-form-urlencoded").POST(BodyPublishers.ofString(form)));
    var tokens = Hush.object(response.body());
    if (response.statusCode() != 200) {
      throw new HushError(
          Hush.text(tokens, "error_description"), Hush.text(tokens, "error"), response.statusCode());
    }
    return tokens;
  }

  private String header() {
    return StreamSupport.stream(cookies.spliterator(), false)
        .map(cookie -> Hush.text(cookie.getAsJsonObject(), "name") + "="
            + Hush.text(cookie.getAsJsonObject(), "value"))
        .collect(Collectors.joining("; "));
  }

  private static Map<String, String> parameters(String address) {
    var found = new HashMap<String, String>();
    for (var parameter : address.substring(address.indexOf('?') + 1).split("&")) {
      var parts = parameter.split("=", 2);
      found.put(URLDecoder.decode(parts[0], UTF_8), parts.length > 1 ? URLDecoder.decode(parts[1], UTF_8) : "");
    }
    return found;
  }

  private static String verifier() {
    var random = new byte[32];
    new SecureRandom().nextBytes(random);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(random);
  }

  private static String challenge(String verifier) {
    try {
      var hash = MessageDigest.getInstance("SHA-256").digest(verifier.getBytes(UTF_8));
      return Base64.getUrlEncoder().withoutPadding().encodeToString(hash);
    } catch (NoSuchAlgorithmException missing) {
      throw new IllegalStateException("each Java has SHA-256", missing);
    }
  }
}
