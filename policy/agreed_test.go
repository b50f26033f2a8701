package policy_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/policy"
)

// What staff may see rests on a sign-in over the very agreement and on nothing that a store says.

const pat = policy.PersonID("canary-staff-pat")

// signIns stands in for the identity provider: what the tokens that it signed say.
type signIns struct{ proofs map[string]policy.Proof }

func (s *signIns) Prove(_ context.Context, token string) (policy.Proof, error) {
	proof, ok := s.proofs[token]
	if !ok {
		return policy.Proof{}, errors.New("not signed by the provider")
	}
	return proof, nil
}

// asked is what Ann is asked: to let Sam see two messages for an hour, the attachments of the second as well.
func asked() policy.Agreement {
	return policy.Agreement{
		ID: "canary-agreement", Account: annsBox, Requester: sam, Approver: pat, Case: "canary-case", Window: time.Hour, Text: "canary-text",
		Messages: []policy.AgreedMessage{{ID: messageOne}, {ID: "canary-message-2", Attachments: true}}, Asked: start.Add(-time.Hour), State: "active",
	}
}

// agree is Ann signing in over an agreement just now, and the agreement being kept.
func (w *world) agree(a policy.Agreement) policy.Agreement {
	a.Proof = "canary-token-of-" + a.ID
	w.signIn(a.Proof, policy.Proof{Owner: ann, Nonce: a.Nonce(), IssuedAt: w.clock.Now()})
	w.keep(a)
	return a
}

func (w *world) signIn(token string, p policy.Proof) {
	if w.google.proofs == nil {
		w.google.proofs = map[string]policy.Proof{}
	}
	w.google.proofs[token] = p
}

func (w *world) keep(a policy.Agreement) {
	w.facts.mu.Lock()
	defer w.facts.mu.Unlock()
	w.facts.agreements[a.ID] = a
}

// view is Sam looking at the first of Ann's messages.
func view() policy.Access {
	return policy.Access{
		Actor: policy.Actor{Kind: policy.Staff, Person: sam, Roles: []string{"support"}, MFA: true}, Account: annsBox, Purpose: "support.view", Feature: "agreed_view", Agreement: "canary-agreement",
		Target: policy.Target{
			Operation: "messages.get", Resource: policy.IDs(policy.Messages, messageOne),
			Classes: []policy.DataClass{policy.Metadata, policy.Header, policy.Body}, Params: "format=full",
		},
	}
}

func viewAttachment(message string) policy.Access {
	a := view()
	a.Target.Operation, a.Target.Resource, a.Target.Classes = "messages.attachments.get", policy.IDs(policy.Messages, message), []policy.DataClass{policy.Attachment}
	return a
}

func wantRefused(t *testing.T, w *world, a policy.Access, clause string) {
	t.Helper()
	grant, err := w.gate.Authorize(t.Context(), a)
	var refused *policy.Refused
	if grant != nil || !errors.As(err, &refused) || !slices.Contains(refused.Clauses, clause) {
		t.Errorf("got %v, %v, want a refusal by %s", grant, err, clause)
	}
}

// TestAgreementIsProven: an agreement that is written, copied or changed in the store opens nothing. Only the
// sign-in that Ann made over it does.
func TestAgreementIsProven(t *testing.T) {
	for name, forge := range map[string]func(w *world, a policy.Agreement) policy.Agreement{
		"without a sign-in":        func(_ *world, a policy.Agreement) policy.Agreement { a.Proof = ""; return a },
		"a sign-in of no provider": func(_ *world, a policy.Agreement) policy.Agreement { a.Proof = "made up"; return a },
		"her sign-in to something else": func(w *world, a policy.Agreement) policy.Agreement {
			w.signIn(a.Proof, policy.Proof{Owner: ann, Nonce: "another", IssuedAt: start})
			return a
		},
		"her sign-in without a nonce": func(w *world, a policy.Agreement) policy.Agreement {
			w.signIn(a.Proof, policy.Proof{Owner: ann, IssuedAt: start})
			return a
		},
		"another owner's sign-in": func(w *world, a policy.Agreement) policy.Agreement {
			w.signIn(a.Proof, policy.Proof{Owner: bob, Nonce: a.Nonce(), IssuedAt: start})
			return a
		},
		"an administrator's sign-in": func(w *world, a policy.Agreement) policy.Agreement {
			w.signIn(a.Proof, policy.Proof{Owner: sam, Nonce: a.Nonce(), IssuedAt: start})
			return a
		},
		"for another member of staff": func(_ *world, a policy.Agreement) policy.Agreement { a.Requester = pat; return a },
		"with another approver":       func(_ *world, a policy.Agreement) policy.Agreement { a.Approver = "kim"; return a },
		"with another case":           func(_ *world, a policy.Agreement) policy.Agreement { a.Case = "other"; return a },
		"with another text":           func(_ *world, a policy.Agreement) policy.Agreement { a.Text = "other"; return a },
		"for longer":                  func(_ *world, a policy.Agreement) policy.Agreement { a.Window = 2 * time.Hour; return a },
		"asked later":                 func(_ *world, a policy.Agreement) policy.Agreement { a.Asked = a.Asked.Add(time.Second); return a },
		"with one message more": func(_ *world, a policy.Agreement) policy.Agreement {
			a.Messages = append(slices.Clone(a.Messages), policy.AgreedMessage{ID: "canary-message-3"})
			return a
		},
		"with an attachment ticked": func(_ *world, a policy.Agreement) policy.Agreement {
			a.Messages = slices.Clone(a.Messages)
			a.Messages[0].Attachments = true
			return a
		},
		"revoked": func(_ *world, a policy.Agreement) policy.Agreement { a.State = "revoked"; return a },
		"closed":  func(_ *world, a policy.Agreement) policy.Agreement { a.State = "closed"; return a },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := w.agree(asked())
			w.allow(t, view())
			w.keep(forge(w, a))
			wantRefused(t, w, view(), "LU-HUM-1")
		})
	}
	t.Run("copied to another id", func(t *testing.T) {
		w := newWorld(t)
		a := w.agree(asked())
		a.ID = "copy"
		w.keep(a)
		access := view()
		access.Agreement = "copy"
		wantRefused(t, w, access, "LU-HUM-1")
	})
	t.Run("copied to another mailbox", func(t *testing.T) {
		w := newWorld(t)
		a := w.agree(asked())
		a.Account = bobsBox
		w.keep(a)
		access := view()
		access.Account = bobsBox
		wantRefused(t, w, access, "LU-HUM-1")
	})
	t.Run("about another mailbox", func(t *testing.T) {
		w := newWorld(t)
		w.agree(asked())
		access := view()
		access.Account = bobsBox
		wantRefused(t, w, access, "LU-HUM-1")
	})
	t.Run("where nobody can prove", func(t *testing.T) {
		w := newWorld(t)
		w.agree(asked())
		gate, err := policy.NewGate(t.Context(), policy.Config{Log: w.log, Facts: w.facts, PseudonymKey: []byte("a deployment key of at least 32 bytes")})
		if err != nil {
			t.Fatal(err)
		}
		defer gate.Close()
		if grant, err := gate.Authorize(t.Context(), view()); grant != nil || err == nil {
			t.Errorf("got %v, %v, want a refusal", grant, err)
		}
	})
}

// TestAgreedViews: who, what, how and how long.
func TestAgreedViews(t *testing.T) {
	t.Run("another message", func(t *testing.T) {
		w := newWorld(t)
		w.agree(asked())
		a := view()
		a.Target.Resource.IDs = []string{"canary-message-3"}
		wantRefused(t, w, a, "LU-HUM-1")
		a.Target.Resource.IDs = []string{messageOne, "canary-message-2"}
		wantRefused(t, w, a, "LU-USE-1") // one at a time: each view is an event
	})
	t.Run("attachments", func(t *testing.T) {
		w := newWorld(t)
		w.agree(asked())
		w.allow(t, viewAttachment("canary-message-2"))
		wantRefused(t, w, viewAttachment(messageOne), "LU-HUM-1")
	})
	t.Run("other staff", func(t *testing.T) {
		w := newWorld(t)
		w.facts.acknowledged[pat] = start
		w.agree(asked())
		a := view()
		a.Actor.Person = pat
		wantRefused(t, w, a, "LU-HUM-1")
	})
	t.Run("in another service's name", func(t *testing.T) {
		w := newWorld(t)
		w.furnish()
		a := view()
		a.Caller = "crm"
		wantRefused(t, w, a, "LU-USE-1")
	})
	t.Run("without a second factor, role or acknowledgement", func(t *testing.T) {
		w := newWorld(t)
		w.agree(asked())
		a := view()
		a.Actor.MFA = false
		wantRefused(t, w, a, "LU-HUM-1")
		a = view()
		a.Actor.Roles = []string{"approver", "operations"}
		wantRefused(t, w, a, "LU-HUM-1")
		w.facts.acknowledged[sam] = start.Add(-365 * 24 * time.Hour)
		wantRefused(t, w, view(), "LU-HUM-5")
		delete(w.facts.acknowledged, sam)
		wantRefused(t, w, view(), "LU-HUM-5")
	})
	t.Run("requester and approver are one", func(t *testing.T) {
		w := newWorld(t)
		a := asked()
		a.Approver = sam
		w.agree(a)
		wantRefused(t, w, view(), "LU-HUM-1")
	})
	t.Run("eleven messages", func(t *testing.T) {
		w := newWorld(t)
		a := asked()
		for _, id := range manyIDs(9) {
			a.Messages = append(a.Messages, policy.AgreedMessage{ID: id})
		}
		w.agree(a)
		wantRefused(t, w, view(), "LU-HUM-1")
	})
	t.Run("the owner is gone", func(t *testing.T) {
		w := newWorld(t)
		w.agree(asked())
		w.facts.change(annsBox, func(f *policy.AccountFacts) { f.State = "disconnected" })
		wantRefused(t, w, view(), "DEL-1")
		w.facts.mu.Lock()
		delete(w.facts.accounts, annsBox)
		w.facts.mu.Unlock()
		wantRefused(t, w, view(), policy.ClauseUnknown)
	})
	t.Run("not announced for thirty days", func(t *testing.T) {
		w := newWorld(t)
		w.agree(asked())
		w.facts.change(annsBox, func(f *policy.AccountFacts) {
			f.Consent.First, f.Consent.Notified = 1, start.Add(-29*24*time.Hour)
		})
		wantRefused(t, w, view(), "CHG-2")
	})
}

// TestAgreementEnds: to the second, whatever the clock of the provider says, and never later than four hours.
func TestAgreementEnds(t *testing.T) {
	t.Run("with its window", func(t *testing.T) {
		w := newWorld(t)
		w.agree(asked())
		w.clock.pass(time.Hour - time.Second)
		grant := w.allow(t, view())
		if end := start.Add(time.Hour); grant.Expires().After(end) {
			t.Errorf("a grant ends at %v, after its agreement (%v)", grant.Expires(), end)
		}
		w.clock.pass(time.Second)
		wantRefused(t, w, view(), "LU-HUM-1")
		wantNotCovered(t, "a view that was decided a second before the end", w.gate.Use(t.Context(), grant, view().Target))
	})
	t.Run("after four hours at most", func(t *testing.T) {
		w := newWorld(t)
		a := asked()
		a.Window = 4*time.Hour + time.Second
		w.agree(a)
		wantRefused(t, w, view(), "LU-HUM-1")
		a.Window = 4 * time.Hour
		w.agree(a)
		w.allow(t, view())
	})
	t.Run("before it began", func(t *testing.T) {
		for ahead, want := range map[time.Duration]bool{59 * time.Second: true, 61 * time.Second: false} {
			w := newWorld(t)
			a := w.agree(asked())
			w.signIn(a.Proof, policy.Proof{Owner: ann, Nonce: a.Nonce(), IssuedAt: start.Add(ahead)})
			grant, err := w.gate.Authorize(t.Context(), view())
			if (grant != nil) != want {
				t.Errorf("the provider's clock %v ahead: got %v, %v", ahead, grant, err)
			}
		}
	})
	t.Run("the owner answered after twelve hours", func(t *testing.T) {
		for late, want := range map[time.Duration]bool{12*time.Hour - time.Second: true, 12 * time.Hour: false, 12*time.Hour + time.Second: false} {
			w := newWorld(t)
			a := asked()
			a.Asked = start.Add(-late)
			w.agree(a)
			if grant, err := w.gate.Authorize(t.Context(), view()); (grant != nil) != want {
				t.Errorf("an answer after %v: got %v, %v", late, grant, err)
			}
		}
	})
	t.Run("the owner was seen long before", func(t *testing.T) {
		for ago, want := range map[time.Duration]bool{0: true, 15 * time.Minute: true, 15*time.Minute + time.Second: false, 24 * time.Hour: false} {
			w := newWorld(t)
			a := w.agree(asked())
			w.signIn(a.Proof, policy.Proof{Owner: ann, Nonce: a.Nonce(), IssuedAt: start, AuthTime: start.Add(-ago)})
			if grant, err := w.gate.Authorize(t.Context(), view()); (grant != nil) != want {
				t.Errorf("signed in %v before: got %v, %v", ago, grant, err)
			}
		}
	})
	t.Run("revoked between decision and view", func(t *testing.T) {
		w := newWorld(t)
		a := w.agree(asked())
		grant := w.allow(t, view())
		a.State = "revoked"
		w.keep(a)
		w.facts.change(annsBox, func(f *policy.AccountFacts) { f.Epoch++ }) // as whoever revokes does
		wantNotCovered(t, "a grant from before", w.gate.Use(t.Context(), grant, view().Target))
		wantRefused(t, w, view(), "LU-HUM-1")
	})
}

// TestEachViewIsDecided: a grant for staff shows one message once.
func TestEachViewIsDecided(t *testing.T) {
	w := newWorld(t)
	w.agree(asked())
	grant := w.allow(t, view())
	if err := w.gate.Use(t.Context(), grant, view().Target); err != nil {
		t.Fatal(err)
	}
	wantNotCovered(t, "a second look on one decision", w.gate.Use(t.Context(), grant, view().Target))
	for range 3 {
		w.allow(t, view())
	}
	if got := len(w.records(t)); got != 4 {
		t.Errorf("got %d events for 4 views", got)
	}
}

// TestNoViewOnWrongTime: while the machine's clock and the log's differ, an hour would not be one, and staff see
// nothing. Owners, whom the end of an agreement does not concern, go on.
func TestNoViewOnWrongTime(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	w.allow(t, view())
	w.clock.pass(-59 * time.Second)
	w.allow(t, view())
	w.clock.pass(-2 * time.Second)
	for name, a := range map[string]policy.Access{"a view": view(), "numbers": chart()} {
		grant, err := w.gate.Authorize(t.Context(), a)
		wantClosed(t, name, grant, err)
		if err != nil && !strings.Contains(err.Error(), "clock") {
			t.Errorf("%s: %v does not say what is wrong", name, err)
		}
	}
	w.allow(t, read())
	w.clock.pass(2 * time.Second)
	w.allow(t, view())
}

// TestFactsThatFail: what cannot be looked up is not allowed, and not refused for good either.
func TestFactsThatFail(t *testing.T) {
	for name, a := range map[string]policy.Access{"agreement": view(), "caller": badge(), "release": chart(), "consent": image()} {
		w := newWorld(t)
		w.furnish()
		w.allow(t, a)
		w.facts.fail(errors.New("disk"))
		grant, err := w.gate.Authorize(t.Context(), a)
		wantClosed(t, name, grant, err)
	}
}

// TestNonce: two agreements that differ in anything have different nonces, however their texts are cut.
func TestNonce(t *testing.T) {
	nonces := map[string]string{}
	for name, change := range map[string]func(*policy.Agreement){
		"itself": func(*policy.Agreement) {}, "id": func(a *policy.Agreement) { a.ID += "x" }, "account": func(a *policy.Agreement) { a.Account += "x" },
		"requester": func(a *policy.Agreement) { a.Requester += "x" }, "approver": func(a *policy.Agreement) { a.Approver += "x" },
		"a shifted border": func(a *policy.Agreement) { a.Requester, a.Approver = a.Requester+"c", a.Approver[1:] },
		"case":             func(a *policy.Agreement) { a.Case += "x" }, "quotes": func(a *policy.Agreement) { a.Case += `","x` },
		"window": func(a *policy.Agreement) { a.Window += time.Second }, "text": func(a *policy.Agreement) { a.Text += "x" },
		"asked": func(a *policy.Agreement) { a.Asked = a.Asked.Add(time.Microsecond) }, "no message": func(a *policy.Agreement) { a.Messages = nil },
		"one message": func(a *policy.Agreement) { a.Messages = a.Messages[:1] }, "ticks": func(a *policy.Agreement) { a.Messages[0].Attachments = true },
		"order": func(a *policy.Agreement) { slices.Reverse(a.Messages) },
	} {
		a := asked()
		change(&a)
		if other, ok := nonces[a.Nonce()]; ok {
			t.Errorf("%s and %s have one nonce", name, other)
		}
		nonces[a.Nonce()] = name
	}
	a, b := asked(), asked()
	b.State, b.Proof = "closed", "token"
	if a.Nonce() != b.Nonce() {
		t.Error("what comes after the owner's yes changes what the owner agreed to")
	}
}
