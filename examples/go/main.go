// A website with "scan to log in": go-oidc checks the ID token, x/oauth2 does the code flow, scs keeps the sessions.
package main

import (
	"cmp"
	"context"
	"html/template"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

var (
	issuer   = cmp.Or(os.Getenv("ISSUER"), "http://127.0.0.1:8080")
	clientID = cmp.Or(os.Getenv("CLIENT_ID"), "my-site")
	port     = cmp.Or(os.Getenv("PORT"), "3000")
	ownURL   = cmp.Or(os.Getenv("OWN_URL"), "http://127.0.0.1:"+port)

	// For a site behind the gate: the claim it knows people by, and who may enter (all who sign in, if empty).
	userClaim     = cmp.Or(os.Getenv("USER_CLAIM"), "sub")
	allowedGroups = strings.FieldsFunc(os.Getenv("ALLOWED_GROUPS"), func(r rune) bool { return r == ',' || r == ' ' })
)

func isHTTPS() bool { return strings.HasPrefix(ownURL, "https:") }

// html/template escapes: people choose their names.
var home = template.Must(template.New("home").Parse(`{{if .sub}}
<p>Hello {{or .name "nobody in particular"}}, you are {{.sub}}.</p>
<form method="post" action="/logout"><button>Sign out</button></form>
{{else}}<a href="/login">Sign in</a>{{end}}`))

func main() {
	provider, err := oidc.NewProvider(context.Background(), issuer)
	if err != nil {
		log.Fatal(err)
	}
	config := oauth2.Config{
		ClientID: clientID, ClientSecret: os.Getenv("CLIENT_SECRET"),
		Endpoint: provider.Endpoint(), RedirectURL: ownURL + "/callback", Scopes: []string{oidc.ScopeOpenID, "profile", "groups"},
	}
	var discovered struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&discovered); err != nil {
		log.Fatal(err)
	}
	visits := scs.New() // in memory; SameSite=Lax and HttpOnly by default
	visits.Cookie.Name = "signed_in"
	visits.Cookie.Secure = isHTTPS()

	http.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		one := begun{State: oauth2.GenerateVerifier(), Nonce: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier(), Since: time.Now()}
		if wanted := r.Header.Get("X-Original-URI"); len(wanted) <= longest { // only a proxy in front sets this
			one.Wanted = wanted
		}
		one.remember(w, r)
		http.Redirect(w, r, config.AuthCodeURL(one.State, oidc.Nonce(one.Nonce), oauth2.S256ChallengeOption(one.Verifier)), http.StatusFound)
	})

	http.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		one, ok := recall(w, r, r.URL.Query().Get("state")) // good for one answer
		if !ok {
			notSignedIn(w, refusal("this browser did not begin this sign-in"))
			return
		}
		person, rawIDToken, err := signIn(r, provider, &config, one)
		if err != nil {
			notSignedIn(w, err)
			return
		}
		if err := visits.RenewToken(r.Context()); err != nil {
			http.Error(w, "Not signed in", http.StatusInternalServerError)
			return
		}
		visits.Put(r.Context(), "sub", person.Subject) // your own user is the one with this sub
		visits.Put(r.Context(), "name", person.Name)
		visits.Put(r.Context(), "account", person.Account)
		visits.Put(r.Context(), "groups", strings.Join(person.Groups, ","))
		visits.Put(r.Context(), "id_token", rawIDToken)
		http.Redirect(w, r, pathOnly(one.Wanted), http.StatusSeeOther)
	})

	http.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		hint := visits.GetString(r.Context(), "id_token")
		_ = visits.Destroy(r.Context())
		http.Redirect(w, r, endSession(discovered.EndSession, hint), http.StatusSeeOther)
	})

	// For nginx's auth_request (see ../nginx): who it is, or 401.
	http.HandleFunc("/auth", func(w http.ResponseWriter, r *http.Request) {
		if !visits.Exists(r.Context(), "sub") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("X-Remote-User", visits.GetString(r.Context(), "account"))
		w.Header().Set("X-Remote-Groups", url.PathEscape(visits.GetString(r.Context(), "groups")))
		w.Header().Set("X-Remote-Name", url.PathEscape(visits.GetString(r.Context(), "name")))
		w.WriteHeader(http.StatusNoContent)
	})

	http.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		_ = home.Execute(w, map[string]string{
			"sub": visits.GetString(r.Context(), "sub"), "name": visits.GetString(r.Context(), "name"),
		})
	})
	log.Print("ready at ", ownURL)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, visits.LoadAndSave(http.DefaultServeMux)))
}
