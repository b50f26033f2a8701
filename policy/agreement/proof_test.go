package agreement_test

import (
	"errors"
	"testing"

	"github.com/totalengage/webmail/oauth"
	. "github.com/totalengage/webmail/oauth/oauthtest"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/agreement"
)

// TestSomebodyElsesSignIn: the owner's session with another Google account proves nothing.
func TestSomebodyElsesSignIn(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		o.NewVisitor("bob").SignIn(Bob) // bob is known here
		r := o.pending(t, m1)
		a, err := o.Desk.Propose(t.Context(), o.ada.Session.Actor(), r.ID, ticks(m1))
		must(t, err)
		if _, err := o.sign(t, o.ada, Bob, a); !errors.Is(err, oauth.ErrAnotherPerson) {
			t.Errorf("signed by bob in ada's session: %v", err)
		}

		// bob signs in over ada's agreement in a session of his own, and somebody hands his token to the desk.
		bob := o.NewVisitor("bob2").SignIn(Bob)
		proven, err := o.sign(t, bob, Bob, a)
		must(t, err)
		if _, err := o.keep(t, proven); !errors.Is(err, agreement.ErrUnproven) {
			t.Errorf("kept with bob's token: %v", err)
		}
		_, err = o.look(t, o.sam, r.ID, m1)
		refused(t, "with bob's signature", err)
	})
}

// TestReplies: what Google sends back is good once, in the browser and the session that it was asked in.
func TestReplies(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		r := o.pending(t, m1)
		a, err := o.Desk.Propose(t.Context(), o.ada.Session.Actor(), r.ID, ticks(m1))
		must(t, err)
		address, err := o.Owners.StartProof(t.Context(), o.ada.Secret, o.ada.Session, a)
		must(t, err)
		reply := o.ada.Agree(address, Ada).URL.Query()
		if _, err := o.Owners.FinishProof(t.Context(), "another browser", o.ada.Session, reply); !errors.Is(err, oauth.ErrFlow) {
			t.Errorf("in another browser: %v", err)
		}
		if _, err := o.Owners.FinishStepUp(t.Context(), o.ada.Secret, o.ada.Session, reply); !errors.Is(err, oauth.ErrFlow) {
			t.Errorf("as another kind of flow: %v", err)
		}
		if _, err := o.Owners.FinishProof(t.Context(), o.ada.Secret, o.ada.Session, reply); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Owners.FinishProof(t.Context(), o.ada.Secret, o.ada.Session, reply); !errors.Is(err, oauth.ErrFlow) {
			t.Errorf("once more: %v", err)
		}

		elsewhere := o.NewVisitor("ada").SignIn(Ada) // the same person, another session
		address, err = o.Owners.StartProof(t.Context(), o.ada.Secret, o.ada.Session, a)
		must(t, err)
		if _, err := o.Owners.FinishProof(t.Context(), o.ada.Secret, elsewhere.Session, o.ada.Agree(address, Ada).URL.Query()); !errors.Is(err, oauth.ErrFlow) {
			t.Errorf("in another session: %v", err)
		}
		page := o.ada.Cancel(o.ada.Open(mustAddress(t, o, a)))
		if _, err := o.Owners.FinishProof(t.Context(), o.ada.Secret, o.ada.Session, page.URL.Query()); !errors.Is(err, oauth.ErrCancelled) {
			t.Errorf("cancelled at Google: %v", err)
		}
		if _, err := o.Owners.StartProof(t.Context(), "sam", o.NewVisitor("sam").SignInStaff(Sam).Session, a); !errors.Is(err, oauth.ErrNoSession) {
			t.Errorf("started by staff: %v", err)
		}
	})
}

func mustAddress(t *testing.T, o *office, a policy.Agreement) string {
	t.Helper()
	address, err := o.Owners.StartProof(t.Context(), o.ada.Secret, o.ada.Session, a)
	must(t, err)
	return address
}

// TestTokensOfOtherThings: a token proves the one agreement that it was signed over.
func TestTokensOfOtherThings(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		one, two := o.pending(t, m1), o.pending(t, m1)
		signed := o.prove(t, one.ID, ticks(m1))
		keep := func(id string, chosen []policy.AgreedMessage, token string) error {
			_, err := o.Desk.Agree(t.Context(), o.ada.Session.Actor(), id, chosen, token)
			return err
		}
		for name, err := range map[string]error{
			"of another agreement":     keep(two.ID, ticks(m1), signed.Token),
			"with attachments besides": keep(one.ID, []policy.AgreedMessage{{ID: m1, Attachments: true}}, signed.Token),
			"cut short":                keep(one.ID, ticks(m1), signed.Token[:len(signed.Token)-4]),
			"no token":                 keep(one.ID, ticks(m1), ""),
		} {
			if !errors.Is(err, agreement.ErrUnproven) {
				t.Errorf("a token %s: got %v, want ErrUnproven", name, err)
			}
		}
		_, err := o.keep(t, signed)
		must(t, err)
	})
}

// TestRows: what is written into the database behind everyone's back opens nothing.
func TestRows(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		good, waiting := o.active(t, m1), o.pending(t, m2)
		eve := agreement.Staff{Actor: policy.Actor{Kind: policy.Staff, Person: "eve", Roles: []string{"support", "approver"}, MFA: true}}
		o.Exec(`INSERT INTO acknowledgements (id, person, version, text_sha256, at) VALUES ('x', 'eve', $1, $2, $3)`,
			int64(agreement.CurrentRules), []byte{0}, o.Now().UnixMicro())

		_, err := o.look(t, eve, good.ID, m1)
		refused(t, "another member of staff with somebody's agreement", err)

		far := o.Now().Add(4 * hour).UnixMicro()
		o.Exec(`UPDATE agreements SET state = 'active', agreed = $1, ends = $2 WHERE id = $3`, o.Now().UnixMicro(), far, waiting.ID)
		_, err = o.look(t, o.sam, waiting.ID, m2)
		refused(t, "a request set to active", err)

		o.Exec(`UPDATE agreements SET proof = (SELECT g.proof FROM agreements g WHERE g.id = $1) WHERE id = $2`, good.ID, waiting.ID)
		_, err = o.look(t, o.sam, waiting.ID, m2)
		refused(t, "a proof copied to another row", err)

		const fake = "11111111-2222-3333-4444-555555555555"
		o.Exec(`INSERT INTO agreements (id, account, state, created, asked, agreed, ends, changed, version, event, actor_kind, actor, recorded, details, proof)
			SELECT $1, account, state, created, asked, agreed, ends, changed, version, event, actor_kind, actor, recorded, details, proof FROM agreements WHERE id = $2`, fake, good.ID)
		_, err = o.look(t, o.sam, fake, m1)
		refused(t, "a copied row", err)

		o.Exec(`UPDATE agreements SET details = $1 WHERE id = $2`, []byte(`{"Messages":[{"ID":"`+m3+`"}]}`), waiting.ID)
		_, err = o.look(t, o.sam, waiting.ID, m3)
		refused(t, "details in the clear", err)

		// Even who can seal, like a fault of this program, cannot make the owner's signature say more.
		for name, change := range map[string]func(*policy.Agreement){
			"another message":       func(a *policy.Agreement) { a.Messages = []policy.AgreedMessage{{ID: m3}} },
			"attachments":           func(a *policy.Agreement) { a.Messages[0].Attachments = true },
			"a longer time":         func(a *policy.Agreement) { a.Window = 4 * hour },
			"another case":          func(a *policy.Agreement) { a.Case = "other" },
			"another person":        func(a *policy.Agreement) { a.Requester = "eve" },
			"another second":        func(a *policy.Agreement) { a.Approver = "eve" },
			"another text":          func(a *policy.Agreement) { a.Text = "00" },
			"asked at another time": func(a *policy.Agreement) { a.Asked = a.Asked.Add(1000) },
		} {
			a, err := o.Agreements.Agreement(t.Context(), good.ID)
			must(t, err)
			nonce := a.Nonce()
			change(&a)
			if a.Nonce() == nonce {
				t.Errorf("%s does not change what the owner signed", name)
			}
		}
		grant, err := o.look(t, o.sam, good.ID, m1)
		must(t, err)
		grant.Finish(nil, 0, 0)
	})
}

// TestLimitsOfAnAgreement are the deny cases of LU-HUM-1 beside one that is allowed.
func TestLimitsOfAnAgreement(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		r := o.active(t, m1)
		access := func() policy.Access {
			return policy.Access{Actor: o.sam.Actor, Account: o.mailbox, Purpose: "support.view", Feature: "agreed_view", Agreement: r.ID, Target: target(m1)}
		}
		grant, err := o.Gate.Authorize(t.Context(), access())
		must(t, err)
		grant.Finish(nil, 0, 0)
		for name, change := range map[string]func(*policy.Access){
			"a message not listed": func(a *policy.Access) { a.Target = target(m2) },
			"two messages at once": func(a *policy.Access) { a.Target.Resource = policy.IDs(policy.Messages, m1, m2) },
			"all mail": func(a *policy.Access) {
				a.Target.Resource = policy.Collection(policy.Messages, "", 10)
				a.Target.Operation = "messages.list"
			},
			"a label": func(a *policy.Access) {
				a.Target.Resource = policy.Collection(policy.Messages, "INBOX", 10)
				a.Target.Operation = "messages.list"
			},
			"its thread": func(a *policy.Access) {
				a.Target.Resource = policy.IDs(policy.Threads, m1)
				a.Target.Operation = "threads.get"
			},
			"an attachment not ticked":    func(a *policy.Access) { a.Target = target(m1, policy.Attachment) },
			"another member of staff":     func(a *policy.Access) { a.Actor = o.pat.Actor; a.Actor.Roles = []string{"support"} },
			"no agreement":                func(a *policy.Access) { a.Agreement = "" },
			"an agreement that is none":   func(a *policy.Access) { a.Agreement = "00000000-0000-0000-0000-000000000000" },
			"security":                    func(a *policy.Access) { a.Purpose = "security" },
			"law":                         func(a *policy.Access) { a.Purpose = "legal" },
			"operations":                  func(a *policy.Access) { a.Purpose = "internal_ops" },
			"the owner's feature":         func(a *policy.Access) { a.Purpose, a.Feature = "inbox.read", "message_view" },
			"no second factor":            func(a *policy.Access) { a.Actor.MFA = false },
			"without the role":            func(a *policy.Access) { a.Actor.Roles = []string{"approver"} },
			"as an auditor":               func(a *policy.Access) { a.Actor.Kind = policy.Auditor },
			"another owner's mailbox":     func(a *policy.Access) { a.Account = "nobody" },
			"a change":                    func(a *policy.Access) { a.Target.Operation = "messages.batchModify" },
			"for somebody else's benefit": func(a *policy.Access) { a.Recipient = "platform_service" },
		} {
			a := access()
			change(&a)
			if grant, err := o.Gate.Authorize(t.Context(), a); err == nil {
				t.Errorf("%s: allowed by %s", name, grant.DecisionID())
			} else {
				refused(t, name, err)
			}
		}
		// Who has not acknowledged the rules lately sees nothing, under a perfect agreement (LU-HUM-5).
		o.Exec(`DELETE FROM acknowledgements WHERE person = $1`, string(o.sam.Person))
		_, err = o.Gate.Authorize(t.Context(), access())
		refused(t, "no acknowledgement on file", err)
	})
}
