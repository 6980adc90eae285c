package site;

import jakarta.servlet.http.HttpServletRequest;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.client.oidc.web.logout.OidcClientInitiatedLogoutSuccessHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.client.web.DefaultOAuth2AuthorizationRequestResolver;
import org.springframework.security.oauth2.client.web.OAuth2AuthorizationRequestCustomizers;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.csrf.CsrfToken;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.util.HtmlUtils;

/** A website with "scan to log in": Spring Security does it all, state, nonce and the checks of the ID token included. */
@SpringBootApplication
@RestController
public class Site {
    public static void main(String[] arguments) {
        SpringApplication.run(Site.class, arguments);
    }

    @Bean
    SecurityFilterChain security(HttpSecurity http, ClientRegistrationRepository clients) throws Exception {
        var requests = new DefaultOAuth2AuthorizationRequestResolver(clients, "/oauth2/authorization");
        requests.setAuthorizationRequestCustomizer(OAuth2AuthorizationRequestCustomizers.withPkce());
        var goodbye = new OidcClientInitiatedLogoutSuccessHandler(clients); // ends Mashang's session too
        goodbye.setPostLogoutRedirectUri("{baseUrl}/");
        return http
            .authorizeHttpRequests(pages -> pages.requestMatchers("/", "/error").permitAll().anyRequest().authenticated())
            .oauth2Login(login -> login
                .loginProcessingUrl("/callback")
                .authorizationEndpoint(endpoint -> endpoint.authorizationRequestResolver(requests)))
            .logout(logout -> logout.logoutSuccessHandler(goodbye))
            .build();
    }

    /** Your own user is the one with this subject. */
    @GetMapping(value = "/", produces = "text/html;charset=UTF-8")
    String home(@AuthenticationPrincipal OidcUser person, HttpServletRequest request) {
        if (person == null) {
            return "<a href=\"/oauth2/authorization/mashang\">Sign in</a>";
        }
        var csrf = (CsrfToken) request.getAttribute(CsrfToken.class.getName());
        var name = person.getFullName() == null ? "nobody in particular" : person.getFullName();
        return """
            <p>Hello %s, you are %s.</p>
            <form method="post" action="/logout"><input type="hidden" name="%s" value="%s"><button>Sign out</button></form>
            """.formatted(HtmlUtils.htmlEscape(name, "UTF-8"), person.getSubject(), csrf.getParameterName(), csrf.getToken());
    }
}
