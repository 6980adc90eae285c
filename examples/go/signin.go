package main

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/alexedwards/scs/v2"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

type person struct {
	Subject string `json:"-"`
	Name    string `json:"name"`
}

// signIn takes the answer that Mashang sent the visitor back with: state, code, ID token, name.
func signIn(r *http.Request, provider *oidc.Provider, config *oauth2.Config, visits *scs.SessionManager) (*person, string, error) {
	ctx, query := r.Context(), r.URL.Query()
	// Each is good for one answer, so they are taken out.
	state, nonce, verifier := visits.PopString(ctx, "state"), visits.PopString(ctx, "nonce"), visits.PopString(ctx, "verifier")
	if state == "" || subtle.ConstantTimeCompare([]byte(state), []byte(query.Get("state"))) != 1 {
		return nil, "", errors.New("this browser did not begin this sign-in")
	}
	if refusal := query.Get("error"); refusal != "" {
		return nil, "", errors.New(refusal)
	}
	token, err := config.Exchange(ctx, query.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		return nil, "", err
	}
	raw, _ := token.Extra("id_token").(string)
	idToken, err := provider.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return nil, "", err
	}
	if idToken.Nonce != nonce {
		return nil, "", errors.New("the ID token answers another request")
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, "", err
	}
	if info.Subject != idToken.Subject {
		return nil, "", errors.New("userinfo tells of another person")
	}
	found := person{Subject: idToken.Subject}
	return &found, raw, info.Claims(&found)
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
