package example;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.method.configuration.EnableMethodSecurity;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** An API that Spring Security protects. Spring checks each token by application.properties. */
@SpringBootApplication
@EnableMethodSecurity
@RestController
public class ResourceServer {
  public static void main(String[] args) {
    SpringApplication.run(ResourceServer.class, args);
  }

  /** Each path except /open needs a token. Without this bean /open needs one too. */
  @Bean
  SecurityFilterChain security(HttpSecurity http) throws Exception {
    http.authorizeHttpRequests(
        paths -> paths.requestMatchers("/open").permitAll().anyRequest().authenticated());
    http.oauth2ResourceServer(server -> server.jwt(Customizer.withDefaults()));
    return http.build();
  }

  /** Tells whether the API runs. */
  @GetMapping("/open")
  public String open() {
    return "open";
  }

  /** For every valid token. */
  @GetMapping("/me")
  public String me(@AuthenticationPrincipal Jwt token) {
    return token.getSubject();
  }

  /** For tokens whose claim roles has admin. */
  @GetMapping("/admin")
  @PreAuthorize("hasRole('admin')")
  public String admin() {
    return "welcome";
  }
}
