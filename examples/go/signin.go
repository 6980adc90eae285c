package main

import (
	"errors"
	"log"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

type person struct {
	Subject string   `json:"-"`
	Account string   `json:"-"` // the claim that USER_CLAIM names
	Name    string   `json:"name"`
	Groups  []string `json:"groups"`
}

// refusal is why somebody is not signed in, in words that are for them to read.
type refusal string

func (why refusal) Error() string { return string(why) }

// notSignedIn tells the visitor a refusal, and nothing of what else went wrong here.
func notSignedIn(w http.ResponseWriter, err error) {
	var why refusal
	if errors.As(err, &why) {
		http.Error(w, "Not signed in: "+why.Error(), http.StatusBadRequest)
		return
	}
	log.Print("sign-in: ", err)
	http.Error(w, "Not signed in: the login service does not answer as it should. Please try again later.", http.StatusBadGateway)
}

// signIn takes the answer that Mashang sent the visitor back with: issuer, code, ID token, name, groups.
func signIn(r *http.Request, provider *oidc.Provider, config *oauth2.Config, one begun) (*person, string, error) {
	ctx, query := r.Context(), r.URL.Query()
	if query.Get("iss") != issuer { // RFC 9207, of a refusal too
		return nil, "", refusal("the answer is of another issuer")
	}
	if query.Has("error") {
		return nil, "", refusal("the login service said " + query.Get("error"))
	}
	token, err := config.Exchange(ctx, query.Get("code"), oauth2.VerifierOption(one.Verifier))
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.ErrorCode == "invalid_grant" {
		return nil, "", refusal("the code is used or too old")
	}
	if err != nil {
		return nil, "", err
	}
	raw, _ := token.Extra("id_token").(string)
	idToken, err := provider.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return nil, "", err
	}
	if idToken.Nonce != one.Nonce {
		return nil, "", refusal("the ID token answers another request")
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, "", err
	}
	if info.Subject != idToken.Subject {
		return nil, "", refusal("userinfo tells of another person")
	}
	found := person{Subject: idToken.Subject}
	var told map[string]any
	if err := errors.Join(info.Claims(&found), info.Claims(&told)); err != nil {
		return nil, "", err
	}
	found.Account, _ = told[userClaim].(string)
	if found.Account == "" {
		return nil, "", refusal("this site needs your " + userClaim + ", and the login service has none of you")
	}
	if !mayEnter(found.Groups) {
		return nil, "", refusal("this site is not open to you; please ask its administrator")
	}
	return &found, raw, nil
}

// mayEnter says whether somebody of these groups is let in: in one of ALLOWED_GROUPS, or anybody where there are none.
func mayEnter(groups []string) bool {
	allowed := func(group string) bool { return slices.Contains(allowedGroups, group) }
	return len(allowedGroups) == 0 || slices.ContainsFunc(groups, allowed)
}

// pathOnly keeps a visitor on this site: anything but a path of it becomes the front page.
func pathOnly(wanted string) string {
	if !strings.HasPrefix(wanted, "/") || strings.HasPrefix(wanted, "//") || strings.Contains(wanted, "\\") {
		return "/"
	}
	return wanted
}

// endSession is the address at which Mashang ends its own session and sends the visitor home.
func endSession(endpoint, hint string) string {
	query := url.Values{"post_logout_redirect_uri": {ownURL + "/"}, "client_id": {clientID}}
	if hint != "" {
		query.Set("id_token_hint", hint)
	}
	return endpoint + "?" + query.Encode()
}
