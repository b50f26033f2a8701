package agreement_test

import (
	"testing"
	"time"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/oauth"
	. "github.com/totalengage/webmail/oauth/oauthtest"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/agreement"
)

// Messages of every test, named as Gmail names them.
const (
	m1 = "18c0000000000001"
	m2 = "18c0000000000002"
	m3 = "18c0000000000003"
)

// office is a world with an owner, her mailbox, and staff who have acknowledged the rules.
type office struct {
	*World
	ada      *Visitor
	mailbox  policy.AccountID
	sam, pat agreement.Staff // support, and the second member of staff
}

func each(t *testing.T, f func(t *testing.T, o *office)) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		w := New(t, open(t))
		o := &office{World: w, ada: w.NewVisitor("ada").SignIn(Ada)}
		o.mailbox = o.ada.Connect(Ada)
		o.sam, o.pat = o.staff(t, Sam), o.staff(t, Pat)
		o.acknowledge(t, o.sam)
		o.acknowledge(t, o.pat)
		f(t, o)
	})
}

func (o *office) staff(t *testing.T, email string) agreement.Staff {
	t.Helper()
	session := o.NewVisitor(email).SignInStaff(email).Session
	return agreement.Staff{Actor: session.Actor(), Name: session.Name}
}

func (o *office) acknowledge(t *testing.T, who agreement.Staff) {
	t.Helper()
	rules, err := o.Desk.Rules()
	must(t, err)
	_, err = o.Desk.Acknowledge(t.Context(), who, rules.Version, rules.SHA256)
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ask has sam ask for messages.
func (o *office) ask(t *testing.T, messages ...string) agreement.Request {
	t.Helper()
	r, err := o.Desk.Ask(t.Context(), o.sam, agreement.Ask{
		Account: o.mailbox, Mailbox: Ada, Case: "CASE-77", Reason: "The message does not open.", Messages: messages, OwnerChooses: len(messages) == 0,
	})
	must(t, err)
	return r
}

// pending has sam ask and pat approve.
func (o *office) pending(t *testing.T, messages ...string) agreement.Request {
	t.Helper()
	r, err := o.Desk.Approve(t.Context(), o.pat, o.ask(t, messages...).ID)
	must(t, err)
	return r
}

// ticks are messages without their attachments.
func ticks(ids ...string) (list []policy.AgreedMessage) {
	for _, id := range ids {
		list = append(list, policy.AgreedMessage{ID: id})
	}
	return list
}

// sign has a visitor sign in at Google as somebody over an agreement.
func (o *office) sign(t *testing.T, v *Visitor, as string, a policy.Agreement) (oauth.Proven, error) {
	t.Helper()
	address, err := o.Owners.StartProof(t.Context(), v.Secret, v.Session, a)
	must(t, err)
	return o.Owners.FinishProof(t.Context(), v.Secret, v.Session, v.Agree(address, as).URL.Query())
}

// prove has ada sign in over what she ticked, and returns the signed token.
func (o *office) prove(t *testing.T, id string, chosen []policy.AgreedMessage) oauth.Proven {
	t.Helper()
	a, err := o.Desk.Propose(t.Context(), o.ada.Session.Actor(), id, chosen)
	must(t, err)
	proven, err := o.sign(t, o.ada, Ada, a)
	must(t, err)
	return proven
}

func (o *office) keep(t *testing.T, p oauth.Proven) (agreement.Request, error) {
	t.Helper()
	return o.Desk.Agree(t.Context(), o.ada.Session.Actor(), p.Agreement, p.Messages, p.Token)
}

// active takes a request through to the owner's agreement.
func (o *office) active(t *testing.T, messages ...string) agreement.Request {
	t.Helper()
	r, err := o.keep(t, o.prove(t, o.pending(t, messages...).ID, ticks(messages...)))
	must(t, err)
	return r
}

// look asks the gate, as the product does before it fetches a message for staff.
func (o *office) look(t *testing.T, who agreement.Staff, id, message string, more ...policy.DataClass) (*policy.Grant, error) {
	t.Helper()
	return o.lookAt(t, o.Gate, who, id, message, more...)
}

func (o *office) lookAt(t *testing.T, gate *policy.Gate, who agreement.Staff, id, message string, more ...policy.DataClass) (*policy.Grant, error) {
	t.Helper()
	return gate.Authorize(t.Context(), policy.Access{
		Actor: who.Actor, Account: o.mailbox, Purpose: "support.view", Feature: "agreed_view", Agreement: id, Target: target(message, more...),
	})
}

func target(message string, more ...policy.DataClass) policy.Target {
	return policy.Target{
		Operation: "messages.get", Resource: policy.IDs(policy.Messages, message), Params: "format=full",
		Classes: append([]policy.DataClass{policy.Metadata, policy.Header, policy.Body}, more...),
	}
}

const hour = time.Hour
