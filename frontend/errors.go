package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/oauth"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// Errors of the edge itself.
var (
	errNoRoute   = errors.New("there is nothing at this address")
	errMethod    = errors.New("this address does not take this method")
	errCrossSite = errors.New("the request came from another site")
	errWrongRole = errors.New("this is not for the kind of account that is signed in")
	errBadLink   = errors.New("the link is not valid any more; reload the message")
)

// problemOf turns an error into what the caller may know of it. Whatever it does not recognise is an
// internal error without detail: no text of an inner layer leaves the process.
func problemOf(err error) api.Problem {
	p := func(status int, code, title, detail string) api.Problem {
		return api.Problem{Type: "about:blank", Status: status, Code: code, Title: title, Detail: detail}
	}
	if out, ok := accessProblem(err); ok {
		return out
	}
	var (
		refused   *policy.Refused
		closed    *policy.Closed
		invalid   *inbox.InvalidError
		throttled *inbox.Throttled
	)
	if out, ok := platformProblem(err); ok {
		return out
	}
	switch {
	case errors.As(err, &refused):
		return refusal(refused)
	case errors.As(err, &closed):
		out := p(503, "gate_closed", "Access to mail is paused", "Your mail is safe at Google. Access is paused because it cannot be recorded at the moment; it comes back by itself. Drafts stay in this browser.")
		out.Since, out.RetryAfterMs = &closed.Since, 10_000
		return out
	case errors.As(err, &invalid):
		out := p(400, "invalid", "The request cannot be used", invalid.Error())
		out.Field = invalid.Field
		return out
	case errors.As(err, &throttled):
		out := p(429, "rate_limited", "Gmail asks to wait", "Too many requests to this mailbox at once. Try again in a moment.")
		out.RetryAfterMs = max(time.Until(throttled.Until), time.Second).Milliseconds()
		return out
	case errors.Is(err, oauth.ErrNoSession):
		return p(401, "unauthenticated", "Please sign in", "Your session has ended or you are not signed in.")
	case errors.Is(err, oauth.ErrStepUp):
		return p(403, "step_up_required", "Please sign in once more", "This cannot be undone or shows everything at once, so it needs a sign-in of the last five minutes.")
	case errors.Is(err, oauth.ErrManyCopies):
		return p(429, "rate_limited", "Enough copies for today", "You have downloaded five copies in 24 hours. Try again tomorrow.")
	case errors.Is(err, oauth.ErrBadRequest):
		return p(400, "invalid", "The request cannot be used", "There is no such right, or the text is too long.")
	case errors.Is(err, oauth.ErrOpenAlready):
		return p(409, "conflict", "You have asked for this already", "Your earlier request is open and will be answered.")
	case errors.Is(err, oauth.ErrNoRequest):
		return p(404, "not_found", "Not found", "There is no such open request.")
	case errors.Is(err, oauth.ErrMustAnswer):
		return p(409, "conflict", "This request must be answered", "It may not be refused.")
	case errors.Is(err, oauth.ErrReconnect):
		return p(409, "reconnect", "Gmail must be connected again", "Google no longer accepts the permission that was given. Connect the mailbox again.")
	case errors.Is(err, policy.ErrUnknown):
		return p(404, "not_connected", "No such mailbox", "This mailbox is not connected here.")
	case errors.Is(err, inbox.ErrNotFound), errors.Is(err, errNoRoute), errors.Is(err, errNoEvent), errors.Is(err, decisionlog.ErrNoTile), errors.Is(err, decisionlog.ErrDropped):
		return p(404, "not_found", "Not found", "It does not exist or no longer exists.")
	case errors.Is(err, inbox.ErrConflict):
		return p(409, "draft_conflict", "Changed elsewhere", "The draft was changed in another window or device since you opened it. Nothing was overwritten.")
	case errors.Is(err, inbox.ErrTooLate):
		return p(409, "too_late", "Already on its way", "The message has already left and cannot be taken back.")
	case errors.Is(err, inbox.ErrTooLarge), isTooLarge(err):
		return p(413, "too_large", "Too large", "Gmail accepts at most 25 MB of attachments and 35 MiB for a whole message.")
	case errors.Is(err, inbox.ErrForbidden):
		return p(403, "reconnect", "Gmail does not allow this", "The permission given does not cover this. Connect the mailbox again and leave all boxes ticked.")
	case errors.Is(err, inbox.ErrUnproven):
		return p(409, "unproven", "Nobody can tell who sent this", "The sender of this message is not proven, so somebody else could write in the same name. You can show the images of this message alone.")
	case errors.Is(err, inbox.ErrOutside):
		return p(502, "outside_unavailable", "The other side does not answer", "The address that the message names does not answer as it should.")
	case errors.Is(err, inbox.ErrUpstream):
		return p(502, "upstream_unavailable", "Gmail does not answer", "Gmail does not answer at the moment. Nothing is lost; try again shortly.")
	case errors.Is(err, errCrossSite):
		return p(403, "cross_site", "Refused", "The request came from another site.")
	case errors.Is(err, errWrongRole):
		return p(403, "wrong_role", "Not for this account", "Sign in with an account that has this role.")
	case errors.Is(err, errBadLink):
		return p(403, "invalid", "The link has expired", errBadLink.Error())
	case errors.Is(err, errMethod):
		return p(405, "method_not_allowed", "Method not allowed", "")
	case errors.Is(err, context.Canceled):
		return p(499, "cancelled", "The request was cancelled", "")
	case errors.Is(err, context.DeadlineExceeded):
		return p(504, "upstream_unavailable", "It took too long", "Try again shortly.")
	}
	return p(500, "internal", "Something went wrong", "It is our fault, nothing is lost. If it happens again, tell support the request id.")
}

// refusal names the clauses, and for those that the owner can mend, the way to mend them.
func refusal(r *policy.Refused) api.Problem {
	out := api.Problem{Type: "about:blank", Status: 403, Code: "policy_denied", Title: "Refused by policy", DecisionId: r.DecisionID, Clauses: r.Clauses,
		Detail: "The rules on the use of Gmail data do not allow this access. The refusal is recorded."}
	only := func(clause string) bool { return len(r.Clauses) == 1 && r.Clauses[0] == clause }
	switch {
	case only("DISC-2"):
		out.Code, out.Title, out.Detail = "consent_required", "Your agreement is needed", "The disclosure on the use of your Gmail data is new. Read it and agree to go on."
	case only("MIN-2"):
		out.Code, out.Title, out.Detail = "reconnect", "A permission is missing", "Google did not give the permission that this needs. Connect the mailbox again and leave all boxes ticked."
	case only("CHG-1"), only("CHG-2"), slices.Equal(r.Clauses, []string{"CHG-1", "CHG-2"}):
		// Not "consent_required": whatever the owner agreed to before goes on.
		out.Code, out.Title = "new_use", "This is new"
		out.Detail = "It is not in the text that you agreed to, or its day has not come yet. Settings, Privacy and data, says what changes and when; everything else goes on as before."
	case slices.Contains(r.Clauses, policy.ClauseUnknown):
		out.Status, out.Code, out.Title, out.Detail = 404, "not_connected", "No such mailbox", "This mailbox is not connected here."
	}
	return out
}

func isTooLarge(err error) bool {
	var tooLarge *http.MaxBytesError
	return errors.As(err, &tooLarge)
}

// answer sends an error in the one JSON shape, and remembers its cause for the request's log line.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	p.RequestId = requestID(r)
	noteProblem(r, p, err)
	if p.RetryAfterMs > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt((p.RetryAfterMs+999)/1000, 10))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the connection may be gone
}

func (s *Server) problemHandler(err error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, err) })
}

// send writes a JSON answer. Mail is never kept by a cache on the way.
func send(v *visit, status int, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/json")
	v.w.Header().Set("Cache-Control", "no-store")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(data) // the connection may be gone
	return nil
}

func done(v *visit) error {
	v.w.Header().Set("Cache-Control", "no-store")
	v.w.WriteHeader(http.StatusNoContent)
	return nil
}

// read decodes a body that the schema has already accepted.
func read(v *visit, into any) error {
	if err := json.NewDecoder(v.r.Body).Decode(into); err != nil {
		if isTooLarge(err) {
			return err
		}
		return &inbox.InvalidError{Field: "body", Why: "not the JSON that this address takes"}
	}
	return nil
}
