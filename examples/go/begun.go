package main

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	patience = 35 * time.Minute // Mashang's page draws QRs for 30, and the last one may still be scanned and approved
	tabs     = 5                // of one browser that may be signing in at the same time
	longest  = 400              // bytes of an address to go back to: proxies refuse a request with too much of cookies
)

// begun is a sign-in under way. It lies in the visitor's browser, in a cookie of its own: another tab has another one, and
// whoever never comes back, as a program that asks for page after page, leaves nothing here.
type begun struct {
	State, Nonce, Verifier string
	Wanted                 string // the page to go on to
	Since                  time.Time
}

// Behind https no other host of the domain can plant one (__Host-).
func begunPrefix() string {
	if isHTTPS() {
		return "__Host-begun_"
	}
	return "begun_"
}

func begunCookie(name, value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, MaxAge: age, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: isHTTPS(),
	}
}

// remember gives the cookie to the browser, and takes back the oldest of too many.
func (b begun) remember(w http.ResponseWriter, r *http.Request) {
	var others []begun
	for _, cookie := range r.Cookies() {
		if strings.HasPrefix(cookie.Name, begunPrefix()) {
			if other, ok := read(cookie); ok {
				others = append(others, other)
			} else {
				http.SetCookie(w, begunCookie(cookie.Name, "", -1))
			}
		}
	}
	slices.SortFunc(others, func(a, b begun) int { return b.Since.Compare(a.Since) })
	for at, other := range others {
		if at >= tabs-1 {
			http.SetCookie(w, begunCookie(other.name(), "", -1))
		}
	}
	text, _ := json.Marshal(b) // of strings and a time: cannot fail
	http.SetCookie(w, begunCookie(b.name(), base64.RawURLEncoding.EncodeToString(text), int(patience.Seconds())))
}

// recall finds what this browser began under this state, and takes its cookie back.
func recall(w http.ResponseWriter, r *http.Request, state string) (begun, bool) {
	cookie, err := r.Cookie(begun{State: state}.name())
	if err != nil {
		return begun{}, false
	}
	http.SetCookie(w, begunCookie(cookie.Name, "", -1))
	found, ok := read(cookie)
	return found, ok && subtle.ConstantTimeCompare([]byte(found.State), []byte(state)) == 1 && time.Since(found.Since) < patience
}

func (b begun) name() string {
	return begunPrefix() + b.State[:min(16, len(b.State))]
}

func read(cookie *http.Cookie) (begun, bool) {
	var found begun
	text, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	ok := err == nil && json.Unmarshal(text, &found) == nil && found.State != "" && found.name() == cookie.Name
	return found, ok
}
