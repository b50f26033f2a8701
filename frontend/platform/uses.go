package platform

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/policy"
)

// use is one thing that callers ask for. Purpose and feature of the access come from here (DESIGN 4.1, 12).
type use struct {
	method, path string
	purpose      policy.Purpose
	feature      policy.Feature
	gets         string        // what the caller gets, in words for owners; "" for what no caller gets
	target       policy.Target // what is decided of a caller that is not registered for the purpose
	do           func(*Platform, http.ResponseWriter, *http.Request, inbox.Visit, []byte) error
}

// unlisted is the feature of what no feature needs. The policy does not know it, and so refuses it.
const unlisted = policy.Feature("unlisted")

// uses is the whole API. The rows without do are what other mail APIs have and this one has not: they hold no
// data, but whoever asks there is told by the policy why not, and is on record.
var uses = []use{
	{"GET", "/unread", "inbox.sync", "unread_badge", "How many conversations in your inbox are unread. The number, and nothing else.",
		policy.Target{Operation: "labels.get", Resource: policy.IDs(policy.Labels, "INBOX"), Classes: []policy.DataClass{policy.Label}}, (*Platform).unread},
	{"POST", "/drafts", "inbox.compose", "start_draft", "It may put drafts into your mailbox, for you to change, to send or to delete. It cannot send and cannot read them.",
		policy.Target{Operation: "drafts.create", Resource: policy.New(policy.Drafts), Classes: []policy.DataClass{policy.Header, policy.Body}}, (*Platform).startDraft},
	{"GET", "/messages", "inbox.read", unlisted, "", everyMessage, nil},
	{"GET", "/contacts", "inbox.read", unlisted, "", derived, nil},
	{"GET", "/export", "inbox.read", unlisted, "", everyMessage, nil},
}

var (
	everyMessage = policy.Target{Operation: "messages.list", Resource: policy.Collection(policy.Messages, "", 500),
		Classes: []policy.DataClass{policy.Metadata, policy.Header, policy.Body, policy.Attachment}}
	derived = policy.Target{Operation: "messages.list", Resource: policy.Collection(policy.Messages, "", 500), Classes: []policy.DataClass{policy.Derived}}
)

// unread answers with the number on the owner's inbox.
func (p *Platform) unread(w http.ResponseWriter, r *http.Request, v inbox.Visit, _ []byte) error {
	n, err := p.Inbox.Unread(r.Context(), v)
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, api.PlatformUnread{Unread: n})
}

// maxText bounds the text of a draft, in characters, and maxTo its recipients.
const (
	maxText = 50_000
	maxTo   = 20
)

// startDraft puts a draft into the mailbox. The caller learns where its owner finishes it, and nothing of the mailbox.
func (p *Platform) startDraft(w http.ResponseWriter, r *http.Request, v inbox.Visit, body []byte) error {
	d, err := readDraft(body)
	if err != nil {
		return err
	}
	if err := p.Inbox.StartDraft(r.Context(), v, d); err != nil {
		return err
	}
	return send(w, http.StatusCreated, api.PlatformStarted{Finish: p.PublicURL + "/mail/" + url.PathEscape(string(v.Account)) + "/label/DRAFT"})
}

// readDraft reads the body of a request; a field that it does not know is an error.
func readDraft(body []byte) (inbox.PlainDraft, error) {
	var in api.PlatformDraft
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return inbox.PlainDraft{}, &inbox.InvalidError{Field: "body", Why: "must be JSON with to, subject and text, and nothing else"}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return inbox.PlainDraft{}, &inbox.InvalidError{Field: "body", Why: "something follows its JSON"}
	}
	switch {
	case len(in.To) > maxTo:
		return inbox.PlainDraft{}, &inbox.InvalidError{Field: "to", Why: "more than 20 recipients"}
	case utf8.RuneCountInString(in.Text) > maxText:
		return inbox.PlainDraft{}, &inbox.InvalidError{Field: "text", Why: "longer than 50,000 characters"}
	case strings.ContainsFunc(in.Text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }):
		return inbox.PlainDraft{}, &inbox.InvalidError{Field: "text", Why: "it holds a control character"}
	}
	d := inbox.PlainDraft{Subject: in.Subject, Text: in.Text}
	for _, to := range in.To {
		d.To = append(d.To, inbox.Address{Name: to.Name, Email: to.Email})
	}
	return d, nil
}

func send(w http.ResponseWriter, status int, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(data) // the connection may be gone
	return nil
}
