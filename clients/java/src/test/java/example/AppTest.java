package example;
import static org.junit.jupiter.api.Assertions.*;
import io.github.hushidp.testing.*;
import java.util.*;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(HushExtension.class)
class AppTest {
  static final String APP = "my-app", CALLBACK = "http://localhost:5173/callback";
  Session dana;
  @BeforeEach void addsUserAndClient(Hush hush) {
    hush.putUser("dana", Map.of("claims", Map.of("name", "Dana Diaz")));
    hush.putClient(APP, Map.of(
        "token_endpoint_auth_method", "none", "redirect_uris", List.of(CALLBACK), "first_party", true));
    dana = hush.signIn("dana");
  }
  @Test void theAppOfASignedInUserRenewsItsTokens() {
    assertTrue(dana.renew(APP, CALLBACK).has("access_token"));
  }
  @Test void aRenewalFailsOnPurpose(Hush hush) {
    hush.fail(Map.of("fault", "session_expired", "client", APP));
    assertEquals("login_required", assertThrows(HushError.class, () -> dana.renew(APP, CALLBACK)).error());
    assertEquals(1, hush.flows(Map.of("client", APP, "outcome", "failed")).size());
  }
  @Test void theSessionEndsWithItsLifetime(Hush hush) {
    hush.clock(Map.of("forward", "240h"));
    assertEquals("login_required", assertThrows(HushError.class, () -> dana.renew(APP, CALLBACK)).error());
  }
}
