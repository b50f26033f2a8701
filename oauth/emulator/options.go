package emulator

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"time"
)

// Options describes one provider. The zero value of every field but Name has a
// meaning; what a caller usually wants is [Google] or [Staff], completed.
type Options struct {
	// Issuer is the origin the provider is reached at, such as
	// "http://localhost:8081", without path or final slash. It may be left
	// empty until the port is known; see [Server.SetIssuer].
	Issuer string

	// Name is what the pages call the provider. It also seeds the subject
	// numbers, so that one address has different ones at two providers.
	Name string

	Clients []Client
	Users   []User

	// Scopes maps each scope that needs the person's own tick on the consent
	// page to what it lets an application do, in plain words. The sign-in
	// scopes openid, email and profile always exist.
	Scopes map[string]string

	// ScopeAliases maps a scope as it may be asked for to the name that tokens
	// carry. Google turns "email" into ".../auth/userinfo.email".
	ScopeAliases map[string]string

	// SkipConsent leaves the consent page out unless prompt=consent asks for
	// it, as where an administrator agreed for the whole staff.
	SkipConsent bool

	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Client is an application registered with the provider. One client stands for
// a whole project at Google: grants are kept per client.
type Client struct {
	ID string

	// Secret authenticates the client at the token endpoint. Empty means a
	// public client, which must use PKCE.
	Secret string

	// Name is how the consent page calls the application; empty shows the host
	// the person will return to.
	Name string

	// RedirectURIs are compared as exact strings.
	RedirectURIs []string

	// Desktop lets the port of a loopback redirect URI differ from the
	// registered one (RFC 8252, 7.3), as Google does for this kind of client
	// only.
	Desktop bool
}

// User is an account at the provider.
type User struct {
	Email string // also the key: compared without regard to case
	Name  string

	// Groups becomes the claim "groups". Google has none; a staff directory
	// tells roles by it.
	Groups []string

	// AMR becomes the claim "amr" (RFC 8176): how the person authenticated,
	// such as ["pwd", "mfa"].
	AMR []string
}

const (
	googleEmailScope   = "https://www.googleapis.com/auth/userinfo.email"
	googleProfileScope = "https://www.googleapis.com/auth/userinfo.profile"
)

// Google returns the settings of Google's authorization server with every Gmail
// scope. The caller adds Issuer, Clients and Users.
func Google() Options {
	const gmail = "https://www.googleapis.com/auth/gmail."
	return Options{
		Name: "Google",
		Scopes: map[string]string{
			"https://mail.google.com/": "Read, compose, send, and permanently delete all your email from Gmail",
			gmail + "modify":           "Read, compose, and send emails from your Gmail account",
			gmail + "readonly":         "View your email messages and settings",
			gmail + "metadata":         "View your email message metadata such as labels and headers, but not the email body",
			gmail + "compose":          "Manage drafts and send emails",
			gmail + "send":             "Send email on your behalf",
			gmail + "insert":           "Add emails into your Gmail mailbox",
			gmail + "labels":           "See and edit your email labels",
			gmail + "settings.basic":   "See, edit, create, or change your email settings and filters in Gmail",
			gmail + "settings.sharing": "Manage your sensitive mail settings, including who can manage your mail",
		},
		ScopeAliases: map[string]string{
			"email":   googleEmailScope,
			"profile": googleProfileScope,
		},
	}
}

// Staff returns the settings of a company's own identity provider. The caller
// adds Issuer, Clients and Users with groups.
func Staff() Options {
	return Options{Name: "Staff directory", SkipConsent: true}
}

// checkIssuer refuses what could not be compared byte by byte with the issuer a
// client was given, and paths, which this server does not serve below.
func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("emulator: issuer is not an http or https URL")
	}
	if issuer != u.Scheme+"://"+u.Host {
		return errors.New("emulator: issuer must be an origin: scheme, host and port only")
	}
	return nil
}

func (c Client) check() error {
	if c.ID == "" {
		return errors.New("emulator: client without an id")
	}
	if len(c.RedirectURIs) == 0 {
		return fmt.Errorf("emulator: client %q has no redirect URI", c.ID)
	}
	for _, registered := range c.RedirectURIs {
		u, err := url.Parse(registered)
		if err != nil || !u.IsAbs() || u.Fragment != "" {
			return fmt.Errorf("emulator: client %q: a redirect URI must be absolute and without fragment", c.ID)
		}
	}
	return nil
}

// allows reports whether the client may be answered at redirect.
func (c Client) allows(redirect string) bool {
	for _, registered := range c.RedirectURIs {
		if registered == redirect || c.Desktop && sameButPort(registered, redirect) {
			return true
		}
	}
	return false
}

// sameButPort reports whether two loopback URIs differ in nothing but the port.
func sameButPort(registered, asked string) bool {
	r, errR := url.Parse(registered)
	a, errA := url.Parse(asked)
	if errR != nil || errA != nil || r.Scheme != "http" {
		return false
	}
	switch r.Hostname() {
	case "127.0.0.1", "::1", "localhost":
	default:
		return false
	}
	// Compared as text once the port is gone, so that nothing else of the URI
	// (user info, fragment, encoding of the path) gets a say.
	host := a.Host
	a.Host = r.Host
	return hostWithoutPort(host) == hostWithoutPort(r.Host) && a.String() == r.String()
}

func hostWithoutPort(host string) string {
	return (&url.URL{Host: host}).Hostname()
}

func (u User) check() error {
	// The address itself stays out of the error: callers may log it.
	parsed, err := mail.ParseAddress(u.Email)
	if err != nil || parsed.Address != u.Email {
		return errors.New("emulator: a user's Email must be a plain address")
	}
	return nil
}
