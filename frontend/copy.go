package frontend

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/oauth"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// Kept is what one room keeps of a mailbox, for its owner's copy.
type Kept struct {
	Name string
	Read func(ctx context.Context, account policy.AccountID) (any, error)
}

// copyFormat names the layout of a copy; another layout gets another name.
const copyFormat = "webmail copy 1"

// accessesAtOnce is how many events of the log are read at a time: the record of an active mailbox is larger than
// memory should hold.
const accessesAtOnce = 500

// download sends the owner a copy of everything that is stored about them (PRV-ACC, PRV-PORT). It is no export of
// the mailbox: mail is at Google, and only what is stored here is in it (APP-2). What is read of each mailbox is
// decided first; the answer is then written as it is read.
func (s *Server) download(v *visit) error {
	ctx := v.r.Context()
	if err := s.Owners.Proven(v.session); err != nil {
		return err
	}
	if err := s.Rights.MayCopy(ctx, v.session.Person); err != nil {
		return err
	}
	person, err := s.personCopy(v)
	if err != nil {
		return err
	}
	accounts, err := s.Owners.Accounts(ctx, v.session.Person)
	if err != nil {
		return err
	}
	mailboxes := make([]mailboxCopy, len(accounts))
	for i, a := range accounts {
		if mailboxes[i], err = s.mailboxCopy(v, a); err != nil {
			return err
		}
	}
	if err := s.Rights.AnsweredAtOnce(ctx, v.session, oauth.RightPortability); err != nil {
		return err
	}
	made := s.Log.Now().UTC()
	h := v.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="copy-%s.json"`, made.Format("2006-01-02")))
	h.Set("Cache-Control", "no-store")
	v.w.WriteHeader(http.StatusOK)
	if err := s.writeCopy(ctx, v.w, made, person, mailboxes); err != nil {
		s.Logger.Error("a copy broke off", "request", requestID(v.r), "cause", causeOf(err))
		panic(http.ErrAbortHandler) // the browser must not take half a copy for a whole one
	}
	return nil
}

// personCopy is what is stored of the person beside mailboxes.
func (s *Server) personCopy(v *visit) (map[string]any, error) {
	ctx := v.r.Context()
	browsers, err := s.Sessions.Browsers(ctx, v.session)
	if err != nil {
		return nil, err
	}
	records, err := s.Owners.Consents(ctx, v.session.Person)
	if err != nil {
		return nil, err
	}
	asked, err := s.Rights.Of(ctx, v.session.Person)
	if err != nil {
		return nil, err
	}
	sessions := []api.StoredSession{}
	for _, b := range browsers {
		sessions = append(sessions, api.StoredSession{Started: b.Started, LastUsed: b.LastUsed, Current: b.Current})
	}
	consents := []api.ConsentRecord{}
	for _, r := range records {
		consents = append(consents, consentJSON(r))
	}
	requests := []api.RightsRequest{}
	for _, q := range asked {
		requests = append(requests, rightJSON(q))
	}
	return map[string]any{
		"number": v.session.Person, "name": v.session.Name, "email": v.session.Email,
		"sessions": sessions, "consents": consents, "requests": requests,
	}, nil
}

func digestOf(r consent.Record) string { return hex.EncodeToString(r.SHA256[:]) }

// mailboxCopy is what is stored of one mailbox, and the name under which the log knows it.
type mailboxCopy struct {
	head    map[string]any
	account string // pseudonym
}

// mailboxCopy reads one mailbox under a decision of its own, whose outcome is recorded before anything leaves.
func (s *Server) mailboxCopy(v *visit, a oauth.Account) (mailboxCopy, error) {
	ctx := v.r.Context()
	target := policy.Target{
		Operation: "store.export", Resource: policy.Collection(policy.StoreRows, "", len(s.Kept)),
		Classes: []policy.DataClass{policy.Attachment, policy.Body, policy.Header, policy.Metadata, policy.Settings},
	}
	grant, err := s.Gate.Authorize(ctx, policy.Access{
		Actor: v.session.Actor(), Account: a.ID, Target: target, Purpose: v.inbox.Purpose, Feature: v.inbox.Feature,
	})
	if err != nil {
		return mailboxCopy{}, err
	}
	if err := s.Gate.Use(ctx, grant, target); err != nil {
		grant.Finish(err, 0, 0)
		return mailboxCopy{}, err
	}
	kept, names := map[string]any{}, []string{}
	for _, k := range s.Kept {
		if kept[k.Name], err = k.Read(ctx, a.ID); err != nil {
			grant.Finish(err, 0, 0)
			return mailboxCopy{}, err
		}
		names = append(names, k.Name)
	}
	if err := grant.Release(ctx, policy.StoreRows, names, 0); err != nil {
		return mailboxCopy{}, err
	}
	return mailboxCopy{
		head: map[string]any{
			"id": a.ID, "email": a.Email, "name": a.Name, "scopes": a.Scopes, "connected": a.Since, "agreed": a.Agreed, "kept": kept,
			"recordedAs": grant.Names().Account(a.ID),
		},
		account: grant.Names().Account(a.ID),
	}, nil
}

func (s *Server) writeCopy(ctx context.Context, w io.Writer, made time.Time, person map[string]any, mailboxes []mailboxCopy) error {
	open, err := json.Marshal(map[string]any{"format": copyFormat, "made": made, "product": s.Product.Name, "person": person})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, `%s,"mailboxes":[`, open[:len(open)-1]); err != nil {
		return err
	}
	for i, m := range mailboxes {
		if err := s.writeMailbox(ctx, w, i > 0, m); err != nil {
			return err
		}
	}
	_, err = io.WriteString(w, "]}\n")
	return err
}

// writeMailbox ends with all that the log holds about the mailbox, as it was logged, newest first.
func (s *Server) writeMailbox(ctx context.Context, w io.Writer, comma bool, m mailboxCopy) error {
	head, err := json.Marshal(m.head)
	if err != nil {
		return err
	}
	if comma {
		head = append([]byte(","), head...)
	}
	if _, err := fmt.Fprintf(w, `%s,"accesses":[`, head[:len(head)-1]); err != nil {
		return err
	}
	f := decisionlog.Filter{Account: m.account, Limit: accessesAtOnce}
	for first := true; ; first = false {
		page, err := s.Log.Query(ctx, f)
		if err != nil {
			return err
		}
		var text bytes.Buffer
		for i, r := range page.Records {
			if !first || i > 0 {
				text.WriteByte(',')
			}
			text.Write(r.Body)
		}
		if _, err := w.Write(text.Bytes()); err != nil {
			return err
		}
		if page.Next == 0 {
			break
		}
		f.Before = page.Next
	}
	_, err = io.WriteString(w, "]}")
	return err
}
