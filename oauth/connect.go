package oauth

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/oauth2"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
)

// Agree records that the signed-in owner agreed to the disclosure as it was shown, and returns the id of
// the record, from which connecting starts.
func (o *Owners) Agree(ctx context.Context, session Session, shown consent.Text) (string, error) {
	if session.Kind != policy.Owner || session.Person == "" {
		return "", ErrNoSession
	}
	if shown.Version != o.config.Disclosure {
		return "", ErrNoConsent
	}
	err := o.gate.Record(ctx, policy.Lifecycle{Event: EventConsentGiven, Actor: session.Actor(), Details: map[string]string{"version": strconv.Itoa(shown.Version)}})
	if err != nil {
		return "", err
	}
	record, err := o.store.consents.Agree(ctx, session.Person, shown)
	return record.ID, err
}

// StartConnect returns where to send the browser to connect a mailbox. It starts from a consent that the
// same person gave just before (DISC-2: disclosure immediately precedes the request). hint is the address of
// the mailbox that is meant; with "" Google asks which.
func (o *Owners) StartConnect(ctx context.Context, browser string, session Session, consentID, hint string) (string, error) {
	if session.Kind != policy.Owner || session.hash == nil {
		return "", ErrNoSession
	}
	if err := o.checkConsent(ctx, session, consentID); err != nil {
		return "", err
	}
	state, f, err := o.store.startFlow(ctx, flowConnect, browser, flow{Session: session.hash, Consent: consentID})
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("include_granted_scopes", "true")}
	// Without "consent" Google gives no second refresh token.
	if hint != "" {
		options = append(options, oauth2.SetAuthURLParam("prompt", "consent"), oauth2.SetAuthURLParam("login_hint", hint))
	} else {
		options = append(options, oauth2.SetAuthURLParam("prompt", "consent select_account"))
	}
	scopes := append([]string{"openid", "email", "profile"}, o.config.Scopes...)
	return o.provider.authURL(ctx, state, f, o.config.ConnectRedirect, scopes, options...)
}

// checkConsent fails with ErrNoConsent unless the record is the person's own, current, fresh and not used.
func (o *Owners) checkConsent(ctx context.Context, session Session, id string) error {
	record, err := o.store.consents.Get(ctx, id)
	switch {
	case errors.Is(err, consent.ErrNone):
		return ErrNoConsent
	case err != nil:
		return err
	case record.Act != consent.Agreed, record.Person != session.Person, record.Version != o.config.Disclosure, record.Account != "":
		return ErrNoConsent
	case o.store.now().Sub(record.At) > 2*FlowLife: // as long to start from it, and as long at Google
		return ErrNoConsent
	}
	return nil
}

// Renew lets a connected mailbox go on under a consent that its owner has just given, when the disclosure
// has changed but Google's permission stands. It fails with policy.ErrUnknown for a mailbox of someone else.
func (o *Owners) Renew(ctx context.Context, session Session, consentID string, account policy.AccountID) error {
	if session.Kind != policy.Owner {
		return ErrNoSession
	}
	if err := o.checkConsent(ctx, session, consentID); err != nil {
		return err
	}
	facts, err := o.store.Account(ctx, account)
	if err != nil {
		return err
	}
	if facts.Owner != session.Person || facts.State != stateConnected {
		return policy.ErrUnknown
	}
	return o.store.db.Write(ctx, func(tx *sql.Tx) error {
		return o.store.consents.Bind(ctx, tx, consentID, session.Person, account)
	})
}

// FinishConnect takes Google's reply. Which mailbox it is, is for Google's ID token to say. The code is
// exchanged only when everything else holds; whatever permission then turns out to be of no use is given
// back.
func (o *Owners) FinishConnect(ctx context.Context, browser string, session Session, query url.Values) (policy.AccountID, error) {
	id, err := o.finishConnect(ctx, browser, session, query)
	if err != nil {
		o.failures.record(ctx, flowConnect, err)
	}
	return id, err
}

func (o *Owners) finishConnect(ctx context.Context, browser string, session Session, query url.Values) (policy.AccountID, error) {
	r, err := o.store.finishFlow(ctx, flowConnect, browser, o.provider.issuer, query)
	if err != nil {
		return "", err
	}
	if session.Kind != policy.Owner || session.hash == nil || !bytes.Equal(r.flow.Session, session.hash) {
		return "", ErrFlow // somebody else has signed in meanwhile
	}
	if err := o.checkConsent(ctx, session, r.flow.Consent); err != nil {
		return "", err
	}
	token, who, err := o.provider.exchange(ctx, r.flow, o.config.ConnectRedirect, r.code)
	if err != nil {
		return "", err
	}
	id, err := o.connect(ctx, session, r.flow.Consent, token, who)
	if err != nil {
		o.giveBack(ctx, who, token)
	}
	return id, err
}

// connect stores the permission for the mailbox that the ID token names.
func (o *Owners) connect(ctx context.Context, session Session, consentID string, token *oauth2.Token, who identity) (policy.AccountID, error) {
	granted, _ := token.Extra("scope").(string)
	scopes := strings.Fields(granted)
	for _, needed := range o.config.Scopes {
		if !slices.Contains(scopes, needed) {
			return "", ErrScopeRefused
		}
	}
	if token.RefreshToken == "" {
		return "", ErrNotOffline
	}
	subject := o.store.keys.digest("mailbox", o.provider.issuer+"\x00"+who.subject)
	a, known, err := o.store.mailbox(ctx, subject)
	if err != nil {
		return "", err
	}
	if known && a.state == stateDisconnected {
		// Its deletion was interrupted. It must be complete before the same mailbox can come back.
		if err := o.vault.resume(ctx, a.id); err != nil {
			return "", err
		}
		known = false
	}
	if known && a.person != session.Person {
		return "", ErrTaken
	}
	if !known {
		if a, err = o.store.newMailbox(session.Person, subject); err != nil {
			return "", err
		}
	}
	err = o.gate.Record(ctx, policy.Lifecycle{
		Event: EventAccountConnected, Actor: session.Actor(), Account: a.id, LogKey: a.logKey,
		Details: map[string]string{"again": strconv.FormatBool(known)},
	})
	if err != nil {
		return "", err
	}
	slices.Sort(scopes)
	err = o.store.saveMailbox(ctx, a, known, mailboxRow{
		email: who.email, name: who.name, scopes: strings.Join(scopes, " "), refresh: token.RefreshToken,
	}, func(tx *sql.Tx) error { return o.store.consents.Bind(ctx, tx, consentID, session.Person, a.id) })
	if errors.Is(err, consent.ErrNone) {
		err = ErrNoConsent
	}
	return a.id, err
}

// giveBack revokes a permission that came to nothing, unless the same mailbox is connected: Google keeps one
// permission for both.
func (o *Owners) giveBack(ctx context.Context, who identity, token *oauth2.Token) {
	subject := o.store.keys.digest("mailbox", o.provider.issuer+"\x00"+who.subject)
	if _, known, err := o.store.mailbox(ctx, subject); known || err != nil {
		return
	}
	if err := o.vault.giveBack(context.WithoutCancel(ctx), or(token.RefreshToken, token.AccessToken)); err != nil {
		o.store.log.ErrorContext(ctx, "an unused permission could not be noted for revocation", "error", err)
	}
}
