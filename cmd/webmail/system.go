package main

import (
	"cmp"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/totalengage/webmail/frontend"
	"github.com/totalengage/webmail/frontend/mailhtml"
	"github.com/totalengage/webmail/frontend/platform"
	"github.com/totalengage/webmail/frontend/searches"
	"github.com/totalengage/webmail/frontend/signin"
	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/egress"
	"github.com/totalengage/webmail/oauth"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/aggregate"
	"github.com/totalengage/webmail/policy/agreement"
	"github.com/totalengage/webmail/policy/consent"
	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/decisionlog/witness"
)

// system is the product, put together: everything that serve and demo run. It is built in the order in
// which rooms know each other: stores, log, gate, vault, inbox, frontend.
type system struct {
	options  serverOptions
	log      *slog.Logger
	keys     *oauth.Keys
	out      *egress.Transport // the one way out
	origins  []string          // where it leads
	product  *database.DB
	logDB    *database.DB
	decided  *decisionlog.Log
	keeper   *witness.Keeper // nil without a witness
	store    *oauth.Store
	sessions *oauth.Sessions
	vault    *oauth.Vault
	owners   *oauth.Owners
	rights   *oauth.Rights
	consents *consent.Store
	gate     *policy.Gate
	bundles  *policy.Bundles // nil without a policy bundle
	sources  *policy.Sources
	google   *oauth.Provider
	agreed   *agreement.Store
	desk     *agreement.Desk
	permits  *consent.Permissions
	releases *aggregate.Store
	numbers  *aggregate.Service
	inbox    *inbox.Service
	callers  *platform.Callers
	platform *platform.Platform
	front    *frontend.Server
	handler  http.Handler
	closers  []func()
}

// facts joins what the rooms know for the policy.
type facts struct {
	*oauth.Store
	product  *database.DB
	permits  *consent.Permissions
	releases *aggregate.Store
	callers  *platform.Callers
	agreed   *agreement.Store
}

func (f facts) Agreement(ctx context.Context, id string) (policy.Agreement, error) {
	return f.agreed.Agreement(ctx, id)
}

func (f facts) Acknowledged(ctx context.Context, person policy.PersonID) (time.Time, error) {
	return f.agreed.Acknowledged(ctx, person)
}

func (f facts) Release(ctx context.Context, id string) (policy.Release, error) {
	return f.releases.Release(ctx, id)
}

// Instruction looks among the standing instructions first, then among the permissions to transfer.
func (f facts) Instruction(ctx context.Context, id string) (policy.Instruction, error) {
	in, err := inbox.Instruction(ctx, f.product, id)
	if errors.Is(err, policy.ErrUnknown) {
		return f.permits.Instruction(ctx, id)
	}
	return in, err
}

func newSystem(ctx context.Context, o serverOptions, log *slog.Logger) (*system, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &system{options: o, log: log}
	for _, open := range []func(context.Context) error{s.openStores, s.openAccess, s.openFrontend} {
		if err := open(ctx); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// openStores opens the databases, the keys and the log.
func (s *system) openStores(ctx context.Context) (err error) {
	if err := os.MkdirAll(s.options.keys(), 0o700); err != nil {
		return fmt.Errorf("the data directory cannot be made: %w", err)
	}
	if s.product, err = s.open(ctx, s.options.productURL()); err != nil {
		return fmt.Errorf("the product database: %w", err)
	}
	if err := inbox.Migrate(ctx, s.product); err != nil {
		return fmt.Errorf("the inbox's tables: %w", err)
	}
	if s.logDB, err = s.open(ctx, s.options.logURL()); err != nil {
		return fmt.Errorf("the decision log's database: %w", err)
	}
	signer, verifier, err := decisionlog.LoadOrCreateKey(s.options.logKey(), s.options.LogOrigin)
	if err != nil {
		return fmt.Errorf("the decision log's key: %w", err)
	}
	s.decided, err = decisionlog.Open(ctx, s.logDB, decisionlog.Config{Origin: s.options.LogOrigin, Signer: signer, Verifier: verifier})
	if err != nil {
		return fmt.Errorf("the decision log: %w", err)
	}
	s.closers = append(s.closers, func() { _ = s.decided.Close() })
	return nil
}

func (s *system) open(ctx context.Context, url string) (*database.DB, error) {
	db, err := database.Open(ctx, url)
	if err == nil {
		s.closers = append(s.closers, func() { _ = db.Close() })
	}
	return db, err
}

// openAccess builds the gate over the stores, and over the gate everything that may reach Gmail.
func (s *system) openAccess(ctx context.Context) error {
	o := s.options
	var err error
	if s.out, s.origins, err = wayOut(o); err != nil {
		return err
	}
	if s.keys, err = oauth.OpenKeys(o.keys()); err != nil {
		return err
	}
	if s.consents, err = consent.Open(ctx, s.product, nil); err != nil {
		return err
	}
	if s.store, err = oauth.Open(ctx, s.product, s.keys, s.consents, oauth.Options{Log: s.log}); err != nil {
		return err
	}
	s.permits = consent.OpenPermissions(s.product, s.store, s.store, nil)
	if s.releases, err = aggregate.Open(ctx, s.product); err != nil {
		return err
	}
	if s.callers, err = o.readCallers(); err != nil {
		return err
	}
	if s.agreed, err = agreement.Open(ctx, s.product, s.store, s.decided.Now); err != nil {
		return err
	}
	if s.google, err = oauth.NewProvider(googleProvider(o.google), s.out.Client(signInTime)); err != nil {
		return fmt.Errorf("the sign-in with Google: %w", err)
	}
	if s.sources, err = policy.OpenSources(ctx, s.logDB); err != nil {
		return err
	}
	rules := policy.Config{
		Log: s.decided, Sources: s.sources, Prover: s.store.Prover(s.google), PseudonymKey: s.keys.Pseudonym(),
		Facts:  facts{Store: s.store, product: s.product, permits: s.permits, releases: s.releases, agreed: s.agreed, callers: s.callers},
		Labels: map[string]string{"app": "webmail", "version": version},
	}
	if s.keeper, err = o.keeper(s.decided, s.out.Client(time.Minute)); err != nil {
		return err
	}
	if s.keeper != nil {
		rules.Witness = s.keeper
		s.agreed.Await(s.keeper.Covers)
	}
	if s.gate, err = policy.NewGate(ctx, rules); err != nil {
		return err
	}
	s.closers = append(s.closers, s.gate.Close)
	if err := s.followRules(ctx); err != nil {
		return err
	}
	s.numbers, err = aggregate.New(aggregate.Config{Store: s.releases, Gate: s.gate, Log: s.decided, Facts: s.store, Mailboxes: s.mailboxes})
	if err != nil {
		return err
	}
	return s.openMail(ctx)
}

// mailboxes lists for the monthly count what the count must know of each.
func (s *system) mailboxes(ctx context.Context) ([]aggregate.Mailbox, error) {
	connected, err := s.store.Connected(ctx)
	list := make([]aggregate.Mailbox, len(connected))
	for i, c := range connected {
		list[i] = aggregate.Mailbox{ID: c.ID, Connected: c.Since}
	}
	return list, err
}

func (s *system) openMail(ctx context.Context) error {
	o := s.options
	var err error
	s.desk, err = s.agreed.Desk(s.gate, s.decided, s.store.Prover(s.google), agreement.Company{Product: o.product.Name, Operator: o.Operator, Country: o.Country})
	if err != nil {
		return err
	}
	s.vault = s.store.Vault(s.gate, s.google)
	s.sessions = s.store.Sessions(s.gate, oauth.SessionConfig{})
	s.rights = s.store.Rights(s.gate)
	s.owners = s.store.Owners(s.gate, s.vault, s.google, oauth.OwnersConfig{
		SignInRedirect: o.PublicURL + signin.SignInCallbackPath, ConnectRedirect: o.PublicURL + signin.ConnectCallbackPath,
		ProofRedirect: o.PublicURL + signin.ProofCallbackPath, StepUpRedirect: o.PublicURL + signin.StepUpCallbackPath,
	})
	s.inbox, err = inbox.New(inbox.Config{
		Gate: s.gate, Tokens: tokens{s.vault}, Sealer: s.store, Database: s.product, Endpoint: o.Gmail, Transport: s.out, Units: o.Units, PollEvery: o.Poll,
		UndoShown: o.UndoShown, UndoHeld: o.UndoHeld, Topic: o.Topic, Identity: s.store, HTML: composedHTML{},
		Outside: s.outside(), Permits: s.permits,
	})
	if err != nil {
		return err
	}
	s.closers = append(s.closers, s.inbox.Close)
	s.vault.OnReplay(func(ctx context.Context, ended *policy.Journal) error {
		return s.permits.Drop(ctx, ended.Details("permission"))
	}, frontend.EventWithdrawn, platform.EventDisconnected)
	s.vault.OnPurge(func(ctx context.Context, account policy.AccountID) error {
		s.inbox.Forget(account)
		return errors.Join(s.inbox.Purge(ctx, account), s.permits.PurgeAccount(ctx, account), s.desk.Purge(ctx, account))
	})
	return s.recordStart(ctx)
}

// outside is the way out to hosts that a mail names. In the demo, which has no internet, they are in memory.
func (s *system) outside() *http.Client {
	if s.options.outside != nil {
		return s.options.outside
	}
	return egress.NewPublic().Client()
}

// signInTime bounds a call to a sign-in provider.
const signInTime = 30 * time.Second

// recordStart writes the start event: what runs, where it speaks to, and which weaknesses were accepted.
func (s *system) recordStart(ctx context.Context) error {
	public, err := url.Parse(s.options.PublicURL)
	if err != nil {
		return err
	}
	binary, err := programSum()
	if err != nil {
		return fmt.Errorf("the program's own file cannot be read, so its hash cannot be recorded: %w", err)
	}
	return s.gate.Record(ctx, policy.Lifecycle{Event: "system.started", Details: map[string]string{
		"version": version, "binary": binary, "policy": s.gate.Revision(), "destinations": strings.Join(s.origins, " "),
		"witness": cmp.Or(s.options.Witness, "none"), "keys": "file", // no KMS can be configured yet
		"weaknesses": strings.Join(s.options.present(public), " "), "demo": fmt.Sprint(s.options.demo),
	}})
}

func (s *system) openFrontend(ctx context.Context) error {
	o := s.options
	if err := s.openPlatform(ctx); err != nil {
		return err
	}
	p := consent.Product{Name: o.product.Name, Operator: o.Operator, Contact: o.Contact, HelpURL: o.PublicURL + signin.HelpPath}
	disclosure, err := consent.Render(consent.Current, p)
	if err != nil {
		return err
	}
	deps := signin.Deps{Owners: s.owners, Sessions: s.sessions, Desk: s.desk, Disclosure: disclosure, Announced: s.consents.Announced(), Product: p, Log: s.log}
	if o.staff.Issuer != "" {
		provider, err := oauth.NewProvider(oauth.ProviderConfig{Issuer: o.staff.Issuer, ClientID: o.staff.ClientID, ClientSecret: o.staff.ClientSecret}, s.out.Client(signInTime))
		if err != nil {
			return fmt.Errorf("the staff's sign-in: %w", err)
		}
		deps.Staff, err = s.store.Staff(s.gate, provider, oauth.StaffConfig{Redirect: o.PublicURL + signin.StaffCallbackPath, Roles: o.staff.Roles})
		if err != nil {
			return err
		}
	}
	verifier, err := os.ReadFile(o.logKey() + ".pub")
	if err != nil {
		return fmt.Errorf("the decision log's public key: %w", err)
	}
	linkKey, err := s.linkKey()
	if err != nil {
		return err
	}
	kept, err := searches.Open(ctx, s.product, nil)
	if err != nil {
		return err
	}
	var pushes frontend.PushVerifier
	if o.Topic != "" {
		pushes = s.google.PushCaller(o.pubsub.Audience, o.pubsub.Account)
	}
	s.front, err = frontend.New(frontend.Config{
		Pushes:    pushes,
		PublicURL: o.PublicURL, Product: frontend.Product{Name: o.product.Name, SupportEmail: o.Support, Demo: o.demo, UndoShown: o.UndoShown}, Gate: s.gate, Log: s.decided,
		LogKey: strings.TrimSpace(string(verifier)), Sources: s.sources, Searches: kept, Inbox: s.inbox, Permits: s.permits, Sessions: s.sessions, Owners: s.owners, Vault: s.vault, Desk: s.desk, Mailboxes: s.store, Rights: s.rights, Kept: s.kept(), Platform: s.platform, Numbers: s.numbers, Evidence: s.evidence, SignIn: deps, LinkKey: linkKey, Logger: s.log,
	})
	if err != nil {
		return err
	}
	s.handler, err = s.front.Handler()
	return err
}

// kept lists what the rooms keep of a mailbox, for its owner's copy.
func (s *system) kept() []frontend.Kept {
	return []frontend.Kept{
		{Name: "inbox", Read: func(ctx context.Context, account policy.AccountID) (any, error) { return s.inbox.Stored(ctx, account) }},
		frontend.KeptAgreements(s.desk),
		{Name: "permissions", Read: func(ctx context.Context, account policy.AccountID) (any, error) { return s.permits.List(ctx, account) }},
	}
}

// linkKey derives the key of image links from the deployment's secret, so that all nodes agree on it.
func (s *system) linkKey() ([]byte, error) {
	return hkdf.Key(sha256.New, s.keys.Pseudonym(), nil, "webmail inline image links", 32)
}

// tokens tells the inbox in its own words that a permission is lost.
type tokens struct{ *oauth.Vault }

func (t tokens) Token(ctx context.Context, grant *policy.Grant) (string, error) {
	token, err := t.Vault.Token(ctx, grant)
	if errors.Is(err, oauth.ErrReconnect) {
		err = fmt.Errorf("%w: %w", inbox.ErrReconnect, err)
	}
	return token, err
}

// composedHTML lends the composer the sanitizer of mail bodies: inbox may not import frontend.
type composedHTML struct{}

func (composedHTML) Outgoing(html string) (string, error) { return mailhtml.SanitizeOutgoing(html) }
func (composedHTML) Text(html string) string              { return mailhtml.TextOf(html) }

func googleProvider(g google) oauth.ProviderConfig {
	if g.Issuer == "" {
		return oauth.Google(g.ClientID, g.ClientSecret)
	}
	return oauth.ProviderConfig{Issuer: g.Issuer, ClientID: g.ClientID, ClientSecret: g.ClientSecret}
}

// wayOut makes the one transport to the outside, for the endpoints that the configuration names.
func wayOut(o serverOptions) (*egress.Transport, []string, error) {
	p := googleProvider(o.google)
	urls := []string{o.Gmail, p.Issuer}
	for _, u := range []string{p.AuthURL, p.TokenURL, p.RevokeURL, p.KeysURL, o.staff.Issuer, o.Witness} {
		if u != "" {
			urls = append(urls, u)
		}
	}
	d, err := policy.NewDestinations(urls...)
	if err != nil {
		return nil, nil, err
	}
	return egress.New(d), d.Origins(), nil
}

// drainTime is how long requests in flight may take once the server is told to stop.
const drainTime = 15 * time.Second

// serve answers until ctx ends, then drains: streams are ended, requests finish, outcomes are recorded.
func (s *system) serve(ctx context.Context, l net.Listener, ready func()) error {
	if n, err := s.gate.Reconcile(ctx, s.leftOpen()); err != nil {
		return err
	} else if n > 0 {
		s.log.Warn("decisions left open by a crash are marked unknown", "count", n)
	}
	if err := s.replay(ctx); err != nil {
		return fmt.Errorf("deletions since the database was last right: %w", err)
	}
	server := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	server.RegisterOnShutdown(s.front.Drain)
	if err := s.contactWitness(ctx); err != nil {
		return err
	}
	work, inner := errgroup.WithContext(ctx)
	if err := s.inbox.StartSender(inner); err != nil {
		return err
	}
	work.Go(func() error { return s.maintain(inner) })
	work.Go(func() error {
		s.keepRules(inner)
		return nil
	})
	work.Go(func() error { return s.retention(inner) })
	if s.keeper != nil {
		work.Go(func() error {
			s.keeper.Run(inner)
			return nil
		})
	}
	work.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	work.Go(func() error {
		<-inner.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		return server.Shutdown(stop)
	})
	ready()
	err := work.Wait()
	s.inbox.StopSender()
	if stopped := s.gate.Record(context.WithoutCancel(ctx), policy.Lifecycle{Event: "system.stopped"}); err == nil {
		err = stopped
	}
	return err
}

// leftOpen is how old an open decision must be to be a crash's: with a database of its own the process
// knows that nobody else is at work, with a shared one another node may be.
func (s *system) leftOpen() time.Duration {
	if s.logDB.Dialect() == database.SQLite {
		return 0
	}
	return 10 * time.Minute
}

// maintainEvery is how often expired sessions and left-over revocations are looked after.
const maintainEvery = time.Minute

func (s *system) maintain(ctx context.Context) error {
	tick := time.NewTicker(maintainEvery)
	defer tick.Stop()
	for {
		for name, step := range map[string]func(context.Context) error{"sessions": s.sessions.Purge, "revocations": s.vault.Maintain, "numbers": s.numbers.Maintain, "permissions": s.permits.Sweep, "agreements": s.desk.Maintain, "assertions": s.platform.Sweep} {
			if err := step(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("maintenance failed and will be tried again", "of", name)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// close releases everything, last opened first.
func (s *system) close() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
}
