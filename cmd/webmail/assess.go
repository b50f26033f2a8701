package main

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/totalengage/webmail/frontend"
	"github.com/totalengage/webmail/frontend/signin"
	"github.com/totalengage/webmail/oauth"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/assess"
	"github.com/totalengage/webmail/policy/consent"
	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// assessCmd makes evidence packs and checks them.
type assessCmd struct {
	Make   assessMakeCmd   `cmd:"" default:"withargs" help:"Make an evidence pack of a running or stopped system, read-only, from its databases."`
	Verify assessVerifyCmd `cmd:"" help:"Check an evidence pack: its signature, every file, the log's checkpoint, every proof. Exit status 3 when anything is wrong."`
}

// assessMakeCmd gathers what a system shows, and joins it with what its source showed to make assess.
type assessMakeCmd struct {
	storage
	product
	PublicURL string `help:"Origin under which browsers reach the server; named in the disclosures." default:"http://127.0.0.1:8080"`
	Out       string `help:"New directory for the pack; the archive is put beside it, with .zip appended." type:"path" required:""`
	Key       string `help:"Private key that signs the pack (a note key, made when there is none). Default: the log's own key, which reviewers know already." type:"path"`
	Source    string `help:"What make assess gathered: test results, records, screens. Without it the pack says that nothing of this was run." type:"existingdir"`
	Repo      string `help:"The source tree, to look for secrets in." type:"existingdir"`
	Limit     int    `help:"Count so many of the newest events; 0 for all."`
}

func (c *assessMakeCmd) Run(ctx context.Context) error {
	signer, public, err := c.signer()
	if err != nil {
		return err
	}
	log, done, err := c.openLog(ctx)
	if err != nil {
		return err
	}
	defer done()
	logKey, err := os.ReadFile(c.logKey() + ".pub")
	if err != nil {
		return fmt.Errorf("the log's public key: %w", err)
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(logKey)))
	if err != nil {
		return fmt.Errorf("the log's public key: %w", err)
	}
	now := time.Now().UTC()
	config, err := evidence(now, verifier.Name(), log)
	if err != nil {
		return err
	}
	config.Limit = c.Limit
	if config.Source, err = gathered(c.Source, c.Repo, now); err != nil {
		return err
	}
	db, closeProduct := c.openProduct(ctx)
	defer closeProduct()
	config.Collectors = collectors(db, consent.Product{Name: c.Name, Operator: c.Operator, Contact: c.Contact, HelpURL: c.PublicURL + signin.HelpPath}, now)
	pack, checkpoint, tree, err := assess.Assemble(ctx, config)
	if err != nil {
		return err
	}
	err = pack.Write(c.Out, assess.Sealing{Signer: signer, PublicKey: public, LogKey: strings.TrimSpace(string(logKey)), Checkpoint: checkpoint, Tree: tree})
	if err != nil {
		return err
	}
	if err := c.archive(); err != nil {
		return err
	}
	fmt.Printf("%s and %s.zip, over a log of %d events\n", c.Out, c.Out, tree.N)
	counts := pack.Counts()
	for _, status := range []assess.Status{assess.Passed, assess.Failed, assess.NotRun, assess.Lab, assess.Human, assess.NotApplicable, assess.Shown} {
		fmt.Printf("  %3d %s\n", counts[status], status)
	}
	return nil
}

// signer is the key that signs the pack. The log's key is never made here: a log that has none has nothing to show.
func (c *assessMakeCmd) signer() (note.Signer, string, error) {
	path, name := c.Key, ""
	if path == "" {
		path = c.logKey()
		if _, err := os.Stat(path); err != nil {
			return nil, "", fmt.Errorf("the log's key cannot be read; give --key FILE to sign with another one: %w", err)
		}
	}
	verifier, err := decisionlog.LoadVerifier(c.logKey() + ".pub")
	if err != nil {
		return nil, "", fmt.Errorf("the log's public key (is --data right?): %w", err)
	}
	name = verifier.Name()
	if c.Key != "" {
		name += "/assessments"
	}
	signer, _, err := decisionlog.LoadOrCreateKey(path, name)
	if err != nil {
		return nil, "", err
	}
	public, err := os.ReadFile(path + ".pub")
	if err != nil {
		return nil, "", err
	}
	return signer, strings.TrimSpace(string(public)), nil
}

func (c *assessMakeCmd) archive() error {
	file, err := os.OpenFile(c.Out+".zip", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := assess.Zip(file, os.DirFS(c.Out)); err != nil {
		return err
	}
	return file.Close()
}

// evidence is what a pack and the live page have in common: the tables of this program, and the log.
func evidence(at time.Time, name string, log *decisionlog.Log) (assess.Config, error) {
	tables, err := limiteduse.ReadTables()
	if err != nil {
		return assess.Config{}, err
	}
	clauses, err := limiteduse.ReadClauses()
	if err != nil {
		return assess.Config{}, err
	}
	return assess.Config{
		Made: at, Name: name, Log: log, Index: policy.Index, Clauses: clauses,
		Surface: assess.Surface{Tables: tables, Routes: frontend.RouteTable(), Scopes: []string{"openid", "email", "profile", oauth.GmailModify}},
	}, nil
}

// assessVerifyCmd needs nothing but the pack and a key.
type assessVerifyCmd struct {
	Pack string   `arg:"" help:"Directory or .zip of an evidence pack." type:"path"`
	Key  []string `help:"Public key that you know from elsewhere (keys/log.key.pub of the operator). Without one the pack's own is used, which shows damage and not forgery." type:"existingfile"`
	JSON bool     `help:"Print what was checked as JSON." name:"json"`
}

func (c *assessVerifyCmd) Run() error {
	var keys []note.Verifier
	for _, path := range c.Key {
		key, err := decisionlog.LoadVerifier(path)
		if err != nil {
			return err
		}
		keys = append(keys, key)
	}
	fsys, done, err := openPack(c.Pack)
	if err != nil {
		return err
	}
	defer done()
	report, err := assess.Verify(fsys, keys...)
	if bad := (*assess.BadPack)(nil); errors.As(err, &bad) {
		return &verifyError{err}
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(report)
	}
	fmt.Printf("the pack of %s is as it was signed by %s: %d files, %d proofs\nlog %s, %d events, root %s\n", report.Made.Format(time.RFC3339), report.Signer, report.Files, report.Proofs, report.Log, report.Tree.N, report.Tree.Hash)
	if report.OwnKey {
		fmt.Println("no key was given: whoever made the pack up could have made up its key, too (--key)")
	}
	return nil
}

// openPack opens a directory or an archive. A directory is opened so that no link in it leads out.
func openPack(path string) (fs.FS, func(), error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, fmt.Errorf("the pack: %w", err)
	}
	if info.IsDir() {
		dir, err := os.OpenRoot(path)
		if err != nil {
			return nil, nil, fmt.Errorf("the pack: %w", err)
		}
		return dir.FS(), func() { _ = dir.Close() }, nil
	}
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, nil, &verifyError{fmt.Errorf("the archive is damaged: %w", err)}
	}
	return archive, func() { _ = archive.Close() }, nil
}
