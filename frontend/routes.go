package frontend

import (
	"errors"
	"net/http"

	"github.com/gorilla/mux"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/oauth"
	"github.com/totalengage/webmail/policy"
)

// entrance says who may use a route.
type entrance int

const (
	anyone  entrance = iota
	owner            // signed in as a mailbox owner
	auditor          // signed in as staff who read the log
	staff            // signed in as staff who support owners or operate the service
)

// route is one row of the table: method and path together with who may enter and what the access is for.
type route struct {
	method, path string
	who          entrance
	purpose      policy.Purpose
	feature      policy.Feature
	handle       func(*Server, *visit) error
}

// routes is the whole API. Purpose and feature of every access to Gmail data come from here (DESIGN 4.1, 12).
var routes = []route{
	{"GET", "/api/session", anyone, "", "", (*Server).getSession},
	{"POST", "/api/session/sign-out", anyone, "", "", (*Server).signOut},
	{"POST", "/api/accounts/{account}/disconnect", owner, "account.manage", "connect", (*Server).disconnect},
	{"POST", "/api/accounts/{account}/withdraw", owner, "account.manage", "connect", (*Server).withdraw},

	{"GET", "/api/me/stored", owner, "", "", (*Server).getStored},
	{"GET", "/api/me/consents", owner, "", "", (*Server).listConsents},
	{"POST", "/api/me/download", owner, "account.manage", "data_download", (*Server).download},
	{"POST", "/api/me/delete", owner, "", "", (*Server).deleteAccount},
	{"GET", "/api/me/rights-requests", owner, "", "", (*Server).listRights},
	{"POST", "/api/me/rights-requests", owner, "", "", (*Server).askRight},
	{"GET", "/api/staff/rights-requests", staff, "", "", (*Server).openRights},
	{"POST", "/api/staff/rights-requests/{request}/{act}", staff, "", "", (*Server).endRight},

	{"GET", "/api/accounts/{account}/labels", owner, "inbox.read", "label_list", (*Server).listLabels},
	{"GET", "/api/accounts/{account}/threads", owner, "inbox.read", "thread_list", (*Server).listThreads},
	{"POST", "/api/accounts/{account}/search", owner, "inbox.search", "search", (*Server).searchThreads},
	{"POST", "/api/accounts/{account}/threads/modify", owner, "inbox.organise", "organise", (*Server).modifyThreads},
	{"POST", "/api/accounts/{account}/threads/trash", owner, "inbox.organise", "organise", (*Server).trashThreads},
	{"POST", "/api/accounts/{account}/threads/untrash", owner, "inbox.organise", "organise", (*Server).untrashThreads},
	{"GET", "/api/accounts/{account}/threads/{thread}", owner, "inbox.read", "thread_view", (*Server).getThread},
	{"POST", "/api/accounts/{account}/threads/{thread}/prefetch", owner, "inbox.read", "prefetch", (*Server).prefetch},
	{"GET", "/api/accounts/{account}/messages/{message}", owner, "inbox.read", "message_view", (*Server).getMessage},
	{"GET", "/api/accounts/{account}/messages/{message}/headers", owner, "inbox.read", "message_view", (*Server).getHeaders},
	{"GET", "/api/accounts/{account}/messages/{message}/images", owner, "inbox.read", "message_view", (*Server).getImages},
	{"POST", "/api/accounts/{account}/messages/{message}/images", owner, "inbox.read", "message_view", (*Server).permitImages},
	{"POST", "/api/accounts/{account}/messages/{message}/unsubscribe", owner, "inbox.organise", "unsubscribe", (*Server).unsubscribe},
	{"GET", "/api/accounts/{account}/permissions", owner, "", "", (*Server).listPermissions},
	{"DELETE", "/api/accounts/{account}/permissions/{permission}", owner, "", "", (*Server).withdrawPermission},
	{"POST", "/api/accounts/{account}/messages/modify", owner, "inbox.organise", "organise", (*Server).modifyMessages},
	{"GET", "/api/accounts/{account}/events", owner, "inbox.sync", "live_updates", (*Server).liveEvents},

	{"POST", "/api/accounts/{account}/uploads", owner, "inbox.compose", "compose", (*Server).upload},
	{"POST", "/api/accounts/{account}/drafts", owner, "inbox.compose", "compose", (*Server).createDraft},
	{"GET", "/api/accounts/{account}/drafts/{draft}", owner, "inbox.compose", "compose", (*Server).getDraft},
	{"PUT", "/api/accounts/{account}/drafts/{draft}", owner, "inbox.compose", "compose", (*Server).updateDraft},
	{"DELETE", "/api/accounts/{account}/drafts/{draft}", owner, "inbox.compose", "compose", (*Server).deleteDraft},
	{"POST", "/api/accounts/{account}/send", owner, "inbox.send", "send", (*Server).send},
	{"GET", "/api/accounts/{account}/outbox", owner, "inbox.send", "send", (*Server).listOutbox},
	{"POST", "/api/accounts/{account}/outbox/{item}/undo", owner, "inbox.send", "send", (*Server).undoSend},

	{"GET", "/body/{account}/{message}", owner, "inbox.read", "message_view", (*Server).body},
	{"GET", "/inline/{account}/{message}/{part}", owner, "inbox.read", "attachment_view", (*Server).inline},
	{"GET", "/attachment/{account}/{message}/{part}", owner, "inbox.read", "attachment_view", (*Server).attachment},
	{"GET", "/preview/{account}/{message}/{part}", owner, "inbox.read", "attachment_view", (*Server).preview},
	{"GET", "/attachments/{account}/{message}", owner, "inbox.read", "attachment_view", (*Server).attachments},
	{"GET", "/remote/{account}/{message}/{sealed}", owner, "inbox.read", "remote_images", (*Server).remote},
	{"GET", "/link/{sealed}", owner, "", "", (*Server).linkPage},

	{"POST", "/api/session/step-up", owner, "", "", (*Server).stepUp},
	{"GET", "/api/access/requests", owner, "", "", (*Server).listAccessRequests},
	{"POST", "/api/access/requests/{request}/agree", owner, "", "", (*Server).agreeToAccess},
	{"POST", "/api/access/requests/{request}/refuse", owner, "", "", (*Server).refuseAccess},
	{"POST", "/api/access/requests/{request}/revoke", owner, "", "", (*Server).revokeAccess},
	{"POST", "/api/accounts/{account}/access/offers", owner, "", "", (*Server).offerAccess},
	{"GET", "/api/accounts/{account}/access/history", owner, "account.manage", "access_history", (*Server).accessHistory},

	{"GET", "/api/staff/acknowledgement", staff, "", "", (*Server).getAcknowledgement},
	{"POST", "/api/staff/acknowledgement", staff, "", "", (*Server).acknowledge},
	{"GET", "/api/staff/requests", staff, "", "", (*Server).listStaffRequests},
	{"POST", "/api/staff/requests", staff, "", "", (*Server).askForAccess},
	{"POST", "/api/staff/requests/{request}/approve", staff, "", "", (*Server).approveRequest},
	{"POST", "/api/staff/requests/{request}/decline", staff, "", "", (*Server).declineRequest},
	{"POST", "/api/staff/requests/{request}/take", staff, "", "", (*Server).takeOffer},
	{"POST", "/api/staff/requests/{request}/withdraw", staff, "", "", (*Server).withdrawRequest},
	{"POST", "/api/staff/requests/{request}/close", staff, "", "", (*Server).closeRequest},
	{"GET", "/api/staff/requests/{request}/messages/{message}", staff, "support.view", "agreed_view", (*Server).getAgreedMessage},
	{"GET", "/staff/body/{request}/{message}", staff, "support.view", "agreed_view", (*Server).staffBody},
	{"GET", "/staff/attachment/{request}/{message}/{part}", staff, "support.view", "agreed_view", (*Server).staffImage},

	{"GET", "/api/staff/numbers", staff, "internal_ops", "aggregate_report", (*Server).listNumbers},
	{"GET", "/api/staff/service", staff, "", "", (*Server).getService},

	{"GET", "/api/accounts/{account}/services", owner, "", "", (*Server).listServices},
	{"POST", "/api/accounts/{account}/services/{service}", owner, "", "", (*Server).connectService},
	{"DELETE", "/api/accounts/{account}/services/{service}", owner, "", "", (*Server).disconnectService},

	{"GET", "/api/audit/decisions", auditor, "audit.read", "audit_log", (*Server).listDecisions},
	{"GET", "/api/audit/checkpoint", auditor, "audit.read", "audit_log", (*Server).getCheckpoint},
	{"GET", "/api/assessment", auditor, "audit.read", "audit_log", (*Server).getAssessment},
	{"GET", "/api/audit/decisions/{event}", auditor, "audit.read", "audit_log", (*Server).getDecision},
	{"GET", "/api/audit/decisions/{event}/proof", auditor, "audit.read", "audit_log", (*Server).getProof},
	{"GET", "/api/audit/policies/{revision}", auditor, "audit.read", "audit_log", (*Server).getPolicy},
	{"GET", "/api/audit/summary", auditor, "audit.read", "audit_log", (*Server).getSummary},
	{"GET", "/api/audit/stream", auditor, "audit.read", "audit_log", (*Server).streamDecisions},
	{"GET", "/api/audit/export", auditor, "audit.read", "audit_log", (*Server).exportDecisions},
	{"GET", "/api/audit/refusals", auditor, "audit.read", "audit_log", (*Server).listRefusers},
	{"GET", "/api/audit/human-access", auditor, "audit.read", "audit_log", (*Server).listHumanAccess},
	{"GET", "/api/audit/searches", auditor, "", "", (*Server).listSearches},
	{"POST", "/api/audit/searches", auditor, "", "", (*Server).saveSearch},
	{"DELETE", "/api/audit/searches/{search}", auditor, "", "", (*Server).dropSearch},
	{"GET", "/api/audit/reviews", auditor, "audit.read", "audit_log", (*Server).listReviews},
	{"POST", "/api/audit/reviews", auditor, "audit.read", "audit_log", (*Server).signReview},
	{"GET", "/audit/log/checkpoint", auditor, "audit.read", "audit_log", (*Server).logCheckpoint},
	{"GET", "/audit/log/tile/{tile:.+}", auditor, "audit.read", "audit_log", (*Server).logTile},
}

// visit is one request on its way through a handler: who came, and the mailbox visit policy will be asked about.
type visit struct {
	w       http.ResponseWriter
	r       *http.Request
	session oauth.Session
	inbox   inbox.Visit
}

func (v *visit) param(name string) string { return mux.Vars(v.r)[name] }

// enter lets in whom the route is for, with the session's actor and the route's purpose and feature.
func (s *Server) enter(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.admit(rt, w, r); err != nil {
			s.answer(w, r, err)
		}
	})
}

func (s *Server) admit(rt route, w http.ResponseWriter, r *http.Request) error {
	note(r, rt.path)
	session, err := s.Sessions.Current(r)
	switch {
	case errors.Is(err, oauth.ErrNoSession) && rt.who == anyone:
	case err != nil:
		return err
	case rt.who == owner && session.Kind != policy.Owner, rt.who == auditor && session.Kind != policy.Auditor && session.Kind != policy.Reviewer, rt.who == staff && session.Kind != policy.Staff:
		return errWrongRole
	}
	if err := s.schema.check(rt, r); err != nil {
		return err
	}
	v := &visit{w: w, r: r, session: session}
	v.inbox = inbox.Visit{Actor: session.Actor(), Account: policy.AccountID(v.param("account")), Purpose: rt.purpose, Feature: rt.feature}
	return rt.handle(s, v)
}
