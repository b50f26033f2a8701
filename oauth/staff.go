package oauth

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/oauth2"

	"github.com/totalengage/webmail/policy"
)

// The roles of staff. A member of staff may have several.
const (
	RoleSupport    = "support"    // asks owners to see specific messages
	RoleApprover   = "approver"   // approves such a request before the owner is asked
	RoleOperations = "operations" // reads aggregated, anonymized numbers
	RoleAuditor    = "auditor"    // reads and verifies the decision log
	RoleReviewer   = "reviewer"   // reads the evidence pack
)

// StaffConfig says how the company's identity provider is asked and understood.
type StaffConfig struct {
	Redirect    string            // this server's callback URL, as registered
	Scopes      []string          // default openid, email, profile
	GroupsClaim string            // claim of the ID token that lists groups; default "groups"
	Roles       map[string]string // group -> role; other groups mean nothing here
}

// Staff is the sign-in of the company's own people. Their sessions never open a mailbox by themselves.
type Staff struct {
	store    *Store
	gate     *policy.Gate
	provider *Provider
	config   StaffConfig
	failures *failures
}

// Staff returns the staff sign-in at a provider.
func (s *Store) Staff(gate *policy.Gate, provider *Provider, c StaffConfig) (*Staff, error) {
	for group, role := range c.Roles {
		if !slices.Contains([]string{RoleSupport, RoleApprover, RoleOperations, RoleAuditor, RoleReviewer}, role) {
			return nil, fmt.Errorf("oauth: group %q is given role %q, which does not exist", group, role)
		}
	}
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"openid", "email", "profile"}
	}
	c.GroupsClaim = or(c.GroupsClaim, "groups")
	return &Staff{s, gate, provider, c, newFailures(gate)}, nil
}

// AuthOrigin is where a browser is sent to sign in, for a form-action directive.
func (s *Staff) AuthOrigin() string { return s.provider.AuthOrigin() }

// StartSignIn returns where to send the browser. browser is the value of its flow cookie.
func (s *Staff) StartSignIn(ctx context.Context, browser string) (string, error) {
	state, f, err := s.store.startFlow(ctx, flowStaff, browser, flow{})
	if err != nil {
		return "", err
	}
	return s.provider.authURL(ctx, state, f, s.config.Redirect, s.config.Scopes, oauth2.SetAuthURLParam("prompt", "select_account"))
}

// FinishSignIn takes the provider's reply. Someone without a role is refused with ErrNoRole. A sign-in
// without a second factor succeeds, and what it may do is for the policy to say.
func (s *Staff) FinishSignIn(ctx context.Context, browser string, query url.Values) (SignedIn, error) {
	who, err := s.finish(ctx, browser, query)
	if err != nil {
		s.failures.record(ctx, flowStaff, err)
	}
	return who, err
}

func (s *Staff) finish(ctx context.Context, browser string, query url.Values) (SignedIn, error) {
	r, err := s.store.finishFlow(ctx, flowStaff, browser, s.provider.issuer, query)
	if err != nil {
		return SignedIn{}, err
	}
	_, who, err := s.provider.exchange(ctx, r.flow, s.config.Redirect, r.code)
	if err != nil {
		return SignedIn{}, err
	}
	roles := s.roles(who.claims[s.config.GroupsClaim])
	if len(roles) == 0 {
		return SignedIn{}, ErrNoRole
	}
	person, err := s.store.person(ctx, personStaff, s.provider.issuer, who.subject)
	if err != nil {
		return SignedIn{}, err
	}
	session := Session{
		Kind: kindOf(roles), Person: person, Roles: roles, MFA: slices.Contains(who.amr, "mfa"), // RFC 8176
		Name: who.name, Email: who.email,
	}
	err = s.gate.Record(ctx, policy.Lifecycle{Event: EventStaffSignedIn, Actor: session.Actor(), Details: map[string]string{
		"roles": strings.Join(roles, " "), "mfa": strconv.FormatBool(session.MFA),
	}})
	return SignedIn{session}, err
}

// roles maps the groups of an ID token to roles, sorted.
func (s *Staff) roles(claim any) []string {
	groups, _ := claim.([]any)
	var roles []string
	for _, g := range groups {
		name, _ := g.(string)
		if role, ok := s.config.Roles[name]; ok && !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	slices.Sort(roles)
	return roles
}

// kindOf is the capacity in which staff with these roles act: the one that reads the most of the log.
func kindOf(roles []string) policy.ActorKind {
	switch {
	case slices.Contains(roles, RoleAuditor):
		return policy.Auditor
	case slices.Contains(roles, RoleReviewer):
		return policy.Reviewer
	}
	return policy.Staff
}
