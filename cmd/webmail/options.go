package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/policy"
)

// storage says where things are kept. The audit commands take the same flags.
type storage struct {
	Data        string `help:"Directory of keys and, with SQLite, of the databases." default:"data" type:"path"`
	Database    string `help:"Product database: sqlite:FILE or postgres://URL. Default: webmail.db in --data."`
	LogDatabase string `help:"Decision log's database. Default: decisions.db in --data, or the product's PostgreSQL."`
	LogOrigin   string `help:"Name of the log, the first line of its checkpoints; never change it." default:"webmail.local/decisions"`
}

func (s storage) productURL() string {
	if s.Database != "" {
		return s.Database
	}
	return "sqlite:" + filepath.Join(s.Data, "webmail.db")
}

func (s storage) logURL() string {
	switch {
	case s.LogDatabase != "":
		return s.LogDatabase
	case strings.HasPrefix(s.Database, "postgres"):
		return s.Database
	}
	return "sqlite:" + filepath.Join(s.Data, "decisions.db")
}

func (s storage) keys() string   { return filepath.Join(s.Data, "keys") }
func (s storage) logKey() string { return filepath.Join(s.Data, "keys", "log.key") }

// google is where Google is; every endpoint but the identity can be another one, for tests against emulators.
type google struct {
	ClientID     string `help:"OAuth client id from Google's console." name:"google-client-id"`
	ClientSecret string `help:"OAuth client secret. Better given as WEBMAIL_GOOGLE_CLIENT_SECRET or in the configuration file than on the command line." name:"google-client-secret"`
	Issuer       string `help:"Another OpenID provider in Google's place (its discovery document names the endpoints)." name:"google-issuer"`
	Gmail        string `help:"Another Gmail API in Google's place (root URL)." name:"gmail-endpoint" default:"${gmail}"`
}

// staff is the company's own identity provider.
type staff struct {
	Issuer       string            `help:"OpenID provider of staff; without it nobody signs in as staff." name:"staff-issuer"`
	ClientID     string            `help:"Client id at the staff provider." name:"staff-client-id"`
	ClientSecret string            `help:"Client secret at the staff provider." name:"staff-client-secret"`
	Roles        map[string]string `help:"Groups of the staff provider and the role each gives: support, approver, auditor or reviewer." name:"staff-roles" placeholder:"GROUP=ROLE;..."`
}

// product is how the inbox presents itself.
type product struct {
	Name     string `help:"Name of the product, as users see it." name:"product-name" default:"Webmail"`
	Operator string `help:"Company that answers for it; named in the disclosure." name:"operator"`
	Country  string `help:"Country in which the operator's staff work; shown to owners whom they ask to see a message." name:"staff-country"`
	Contact  string `help:"Address for questions about data; named in the disclosure." name:"contact"`
	Support  string `help:"Support address shown in the product." name:"support-email"`
}

// weaknesses are the ways in which a deployment may be weaker than the design wants. Each must be named to
// be accepted, and what is accepted stands in the log's start event.
var weaknesses = map[string]string{
	"cleartext-keyset": "the master keyset lies in a file of the data directory, not in a KMS (SEC-2)",
	"no-witness":       "nobody outside cosigns the log, so its key's holder could rewrite what no auditor has kept",
	"plain-http":       "browsers reach the server without TLS beyond loopback (SEC-1)",
	"other-google":     "Gmail or Google's sign-in is another endpoint than Google's own",
}

// serverOptions are what a running product needs.
type serverOptions struct {
	storage
	google
	staff
	product
	cosigning
	rules
	pubsub

	Addr       string        `help:"Address to listen on." default:"127.0.0.1:8080"`
	PublicURL  string        `help:"Origin under which browsers reach the server, such as https://mail.example.com. Default: http://ADDR."`
	Accept     []string      `help:"Weaknesses accepted: ${weaknesses}."`
	Units      int           `help:"Gmail quota units a minute and mailbox: 6000 for projects made since May 2026, 15000 for older ones." default:"6000"`
	Poll       time.Duration `help:"How often live updates ask Gmail for changes." default:"15s"`
	UndoShown  time.Duration `help:"How long the page offers to undo a send." default:"10s"`
	UndoHeld   time.Duration `help:"How long the server holds a send; longer than shown, so that a late click still wins." default:"15s"`
	Callers    string        `help:"File of the company's other services that may call /platform/v1, with their keys and purposes (frontend/platform says what it holds). Without it there are none." type:"path"`
	LogDays    int           `help:"Days after which events of the decision log are deleted, 90 to 400. Copies of the database must not be kept longer." default:"400"`
	UnusedDays int           `help:"Days without a sign-in after which an account is deleted, 180 to 730." default:"730"`
	LogLevel   string        `help:"debug, info, warn or error." default:"info" enum:"debug,info,warn,error"`

	demo    bool         // everything embedded; never set by a flag
	outside *http.Client // stands in for the hosts that a mail names; set by the demo alone
}

// googleEndpoint is where Gmail is unless told otherwise.
const googleEndpoint = inbox.GoogleEndpoint

// check refuses what cannot work or is not safe, before anything is opened.
func (o *serverOptions) check() error {
	if o.PublicURL == "" {
		o.PublicURL = "http://" + o.Addr
	}
	u, err := url.Parse(o.PublicURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		return fmt.Errorf("--public-url must be http(s)://host[:port] without a path")
	}
	if _, _, err := net.SplitHostPort(o.Addr); err != nil {
		return fmt.Errorf("--addr must be HOST:PORT: %w", err)
	}
	for _, needed := range []struct{ flag, value string }{
		{"--google-client-id", o.google.ClientID}, {"--google-client-secret", o.google.ClientSecret}, {"--operator", o.Operator}, {"--contact", o.Contact},
	} {
		if needed.value == "" {
			return fmt.Errorf("%s is missing; README.md says where it comes from", needed.flag)
		}
	}
	if o.LogDays < leastLogDays || o.LogDays > mostLogDays {
		return fmt.Errorf("--log-days must be %d to %d: the privacy page says at most %d", leastLogDays, mostLogDays, mostLogDays)
	}
	if o.UnusedDays < leastUnusedDays || o.UnusedDays > mostUnusedDays {
		return fmt.Errorf("--unused-days must be %d to %d: the privacy page says at most %d", leastUnusedDays, mostUnusedDays, mostUnusedDays)
	}
	if o.staff.Issuer != "" && (o.staff.ClientID == "" || o.staff.ClientSecret == "" || len(o.staff.Roles) == 0) {
		return errors.New("--staff-issuer needs --staff-client-id, --staff-client-secret and --staff-roles")
	}
	if err := o.cosigning.check(); err != nil {
		return err
	}
	if err := o.rules.check(); err != nil {
		return err
	}
	if err := o.pubsub.check(u); err != nil {
		return err
	}
	return o.checkWeaknesses(u)
}

// present lists the weaknesses of this configuration, sorted.
func (o *serverOptions) present(public *url.URL) []string {
	found := []string{"cleartext-keyset"} // no KMS can be configured yet
	if o.Witness == "" {
		found = append(found, "no-witness")
	}
	if public.Scheme == "http" && !policy.Loopback(public.Hostname()) {
		found = append(found, "plain-http")
	}
	if o.google.Issuer != "" || o.Gmail != googleEndpoint {
		found = append(found, "other-google")
	}
	slices.Sort(found)
	return found
}

func (o *serverOptions) checkWeaknesses(public *url.URL) error {
	for _, name := range o.Accept {
		if weaknesses[name] == "" {
			return fmt.Errorf("--accept: there is no weakness %q; see --help", name)
		}
	}
	if o.demo {
		return nil
	}
	var missing []string
	for _, name := range o.present(public) {
		if !slices.Contains(o.Accept, name) {
			missing = append(missing, fmt.Sprintf("  %s: %s", name, weaknesses[name]))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("this configuration is weaker than the design wants; mend it, or accept each by name with --accept:\n%s", strings.Join(missing, "\n"))
	}
	return nil
}

func weaknessNames() string { return strings.Join(slices.Sorted(maps.Keys(weaknesses)), ", ") }
