// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package app;

import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.annotation.Bean;
import org.springframework.context.event.EventListener;
import org.springframework.http.HttpHeaders;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClient;
import org.springframework.security.oauth2.client.annotation.RegisteredOAuth2AuthorizedClient;
import org.springframework.security.oauth2.client.endpoint.OAuth2RefreshTokenGrantRequest;
import org.springframework.security.oauth2.client.endpoint.RestClientRefreshTokenTokenResponseClient;
import org.springframework.security.oauth2.client.oidc.web.logout.OidcClientInitiatedLogoutSuccessHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.util.matcher.RequestMatcher;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

/** A relying party on Spring Security, as its reference documentation shows it: issuer, id, secret, and nothing else. */
@SpringBootApplication
@RestController
public class App {
  public static void main(String[] args) {
    SpringApplication.run(App.class, args);
  }

  @EventListener(ApplicationReadyEvent.class)
  void ready() {
    System.out.println("ready");
  }

  @Bean
  SecurityFilterChain security(HttpSecurity http, ClientRegistrationRepository clients) throws Exception {
    var bye = new OidcClientInitiatedLogoutSuccessHandler(clients);
    bye.setPostLogoutRedirectUri("{baseUrl}/bye");
    RequestMatcher logout = (request) -> request.getServletPath().equals("/logout");
    return http
        .authorizeHttpRequests(a -> a.requestMatchers("/bye", "/error").permitAll().anyRequest().authenticated())
        .oauth2Login(o -> o.defaultSuccessUrl("/report", true))
        .logout(l -> l.logoutRequestMatcher(logout).logoutSuccessHandler(bye))
        .build();
  }

  @GetMapping("/bye")
  String bye() {
    return "bye";
  }

  @GetMapping(value = "/report", produces = "text/html")
  String report(
      @RegisteredOAuth2AuthorizedClient("lychgate") OAuth2AuthorizedClient client, @AuthenticationPrincipal OidcUser user)
      throws Exception {
    var fresh = new RestClientRefreshTokenTokenResponseClient()
        .getTokenResponse(new OAuth2RefreshTokenGrantRequest(
            client.getClientRegistration(), client.getAccessToken(), client.getRefreshToken()))
        .getAccessToken();
    Map<?, ?> info = RestClient.create().get()
        .uri(client.getClientRegistration().getProviderDetails().getUserInfoEndpoint().getUri())
        .header(HttpHeaders.AUTHORIZATION, "Bearer " + fresh.getTokenValue())
        .retrieve().body(Map.class);
    var report = Map.of(
        "sub", info.get("sub"), "email", user.getEmail(), "acr", user.getAuthenticationContextClass(),
        "refreshed", !fresh.getTokenValue().equals(client.getAccessToken().getTokenValue()));
    return new com.fasterxml.jackson.databind.ObjectMapper().writeValueAsString(report);
  }
}
