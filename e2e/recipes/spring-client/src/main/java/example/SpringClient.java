package example;

import static org.springframework.security.web.servlet.util.matcher.PathPatternRequestMatcher.pathPattern;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.http.HttpStatus;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.client.ClientAuthorizationException;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClient;
import org.springframework.security.oauth2.client.annotation.RegisteredOAuth2AuthorizedClient;
import org.springframework.security.oauth2.client.oidc.web.logout.OidcClientInitiatedLogoutSuccessHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.authentication.HttpStatusEntryPoint;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** An app that signs users in with Spring Security. application.properties names the provider. */
@SpringBootApplication
@RestController
public class SpringClient {
  public static void main(String[] args) {
    SpringApplication.run(SpringClient.class, args);
  }

  @Bean
  SecurityFilterChain security(HttpSecurity http, ClientRegistrationRepository providers)
      throws Exception {
    var signOut = new OidcClientInitiatedLogoutSuccessHandler(providers);
    signOut.setPostLogoutRedirectUri("{baseUrl}/");
    http.authorizeHttpRequests(
        paths -> paths.requestMatchers("/").permitAll().anyRequest().authenticated());
    http.oauth2Login(Customizer.withDefaults());
    http.logout(logout -> logout.logoutSuccessHandler(signOut));
    // Without this rule Spring redirects /renew to the provider, as it does for all other paths.
    http.exceptionHandling(
        errors ->
            errors.defaultAuthenticationEntryPointFor(
                new HttpStatusEntryPoint(HttpStatus.UNAUTHORIZED), pathPattern("/renew")));
    return http.build();
  }

  @GetMapping("/")
  String home(@AuthenticationPrincipal OidcUser user) {
    return user == null
        ? "Nobody is signed in: /oauth2/authorization/hush"
        : "Hello, " + user.getFullName() + ": /renew /logout";
  }

  /** The client has a valid access token: Spring first renews it if it expires within a minute. */
  @GetMapping("/renew")
  String renew(
      @AuthenticationPrincipal OidcUser user,
      @RegisteredOAuth2AuthorizedClient("hush") OAuth2AuthorizedClient client) {
    return user.getFullName()
        + " has an access token until "
        + client.getAccessToken().getExpiresAt();
  }

  @ExceptionHandler
  @ResponseStatus(HttpStatus.UNAUTHORIZED)
  String failed(ClientAuthorizationException error) {
    return error.getError().getErrorCode() + ": /oauth2/authorization/hush";
  }
}
