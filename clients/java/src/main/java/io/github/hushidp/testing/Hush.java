package io.github.hushidp.testing;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A Hush provider for tests. It runs the program idp on a free port, and calls the API for development, which the
 * provider describes at /console/openapi.json. The maps have the members of that description.
 */
public final class Hush implements AutoCloseable {
  private static final Gson GSON = new Gson();
  private static final HttpClient CLIENT = HttpClient.newHttpClient(); // it follows no redirect

  private final String issuer;
  private final Process process;

  private Hush(String issuer, Process process) {
    this.issuer = issuer;
    this.process = process;
  }

  /** A provider that runs already, in a container for example: at("http://localhost:8080"). */
  public static Hush at(String issuer) {
    return new Hush(issuer, null);
  }

  /**
   * Starts $HUSH_IDP, or else idp in PATH, on a free port of this machine, with its data in memory. The HUSH_ variables
   * of the shell have no effect on it.
   *
   * @param config what a configuration file would hold (docs/configuration.md). By default the provider signs with
   *     ES256, whose key is made at once.
   */
  public static Hush start(Map<String, ?> config) {
    var command = Optional.ofNullable(System.getenv("HUSH_IDP")).orElse("idp");
    var all = new HashMap<String, Object>(Map.of("signing_keys", List.of(Map.of("alg", "ES256"))));
    all.putAll(config);
    var builder = new ProcessBuilder(
            command, "--listen", "127.0.0.1:0", "--store", "memory", "--log-level", "error", "--log-format", "json")
        .redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().keySet().removeIf(name -> name.startsWith("HUSH_"));
    builder.environment().put("HUSH_CONFIG_JSON", GSON.toJson(all));
    try {
      var process = builder.start();
      var line = new BufferedReader(new InputStreamReader(process.getInputStream())).readLine();
      if (line == null) {
        throw new HushError(command + " ended: its message is above", "", 0);
      }
      return new Hush(text(object(line), "issuer"), process);
    } catch (IOException failed) {
      throw new UncheckedIOException("cannot start " + command + ": build it with `make build` in a clone of Hush, and set "
          + "HUSH_IDP to bin/idp or put it into PATH", failed);
    }
  }

  /** The issuer, such as http://localhost:41234. */
  public String issuer() {
    return issuer;
  }

  /** Ends the provider that start began. */
  @Override
  public void close() {
    if (process != null) {
      process.destroy();
      process.onExit().join();
    }
  }

  /** Calls any address of the API, such as /console/clock. The result is empty if the answer has no JSON. */
  public JsonObject call(String method, String path, Object body) {
    var answer = send(HttpRequest.newBuilder(URI.create(issuer + path)).header("Content-Type", "application/json")
        .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(GSON.toJson(body))));
    var json = object(answer.body());
    if (answer.statusCode() < 300) {
      return json;
    }
    var message = method + " " + path + ": " + text(json, "error_description");
    throw new HushError(message, text(json, "error"), answer.statusCode());
  }

  /** Adds or replaces a user: putUser("dana", Map.of("claims", Map.of("name", "Dana Diaz"))). */
  public JsonObject putUser(String username, Map<String, ?> user) {
    return call("PUT", "/console/users/" + encoded(username), user);
  }

  /** Adds or replaces a client: putClient("my-app", Map.of("redirect_uris", List.of("http://localhost:5173/"))). */
  public JsonObject putClient(String id, Map<String, ?> client) {
    return call("PUT", "/console/clients/" + encoded(id), client);
  }

  /** Makes all tokens: tokens(Map.of("user", "dana", "client", "spa", "scope", "openid email")). */
  public JsonObject tokens(Map<String, ?> want) {
    return call("POST", "/console/tokens", want);
  }

  /** Signs a user in without a page. */
  public Session signIn(String user) {
    return new Session(this, call("POST", "/console/sessions", Map.of("user", user)).getAsJsonArray("cookies"));
  }

  /** Makes the provider fail on purpose: fail(Map.of("fault", "session_expired", "client", "spa")). */
  public JsonObject fail(Map<String, ?> fault) {
    return call("POST", "/console/faults", fault);
  }

  /** Moves or freezes the clock: clock(Map.of("forward", "10m")). */
  public JsonObject clock(Map<String, ?> move) {
    return call("POST", "/console/clock", move);
  }

  /** The flows that fit, newest first: flows(Map.of("client", "spa", "outcome", "failed", "wait", "10s")). */
  public List<JsonElement> flows(Map<String, String> which) {
    return call("GET", "/console/flows?" + form(which), null).getAsJsonArray("flows").asList();
  }

  /** Undoes all changes, and ends all sessions and tokens: the next test begins anew. */
  public void reset() {
    call("POST", "/console/reset", Map.of());
  }

  static HttpResponse<String> send(HttpRequest.Builder request) {
    try {
      return CLIENT.send(request.build(), BodyHandlers.ofString());
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the test was interrupted", ended);
    }
  }

  /** Writes values as application/x-www-form-urlencoded. */
  static String form(Map<String, String> values) {
    return String.join("&", values.entrySet().stream()
        .map(value -> encoded(value.getKey()) + "=" + encoded(value.getValue())).toList());
  }

  static JsonObject object(String text) {
    try {
      return text.isEmpty() ? new JsonObject() : JsonParser.parseString(text).getAsJsonObject();
    } catch (JsonParseException | IllegalStateException notAnObject) {
      return new JsonObject();
    }
  }

  static String text(JsonObject object, String name) {
    return object.has(name) ? object.get(name).getAsString() : "";
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
