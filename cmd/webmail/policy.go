package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/totalengage/webmail/policy"
)

// policyCmd works on policies away from any server: nothing that runs is touched.
type policyCmd struct {
	Keygen   keygenCmd   `cmd:"" help:"Make the pair of keys for signing policy bundles. The private one stays off the servers."`
	Export   exportRules `cmd:"" help:"Write the built-in rules and tables to a directory, to begin a policy of one's own with."`
	Sign     signCmd     `cmd:"" help:"Make a signed bundle of the rules and tables in a directory."`
	Check    checkCmd    `cmd:"" help:"Say whether a server would put a bundle in force. Exit status 3 when not."`
	Simulate simulateCmd `cmd:"" help:"Who could read this, and why not? Or, with --log: make logged decisions again, under the policy that made them and under another. Exit status 3 when a logged decision does not come out as logged, 4 when another policy would change any."`
}

// rejectedError is a bundle that no server would take.
type rejectedError struct{ error }

func (e rejectedError) Unwrap() error { return e.error }

// keygenCmd makes signing keys.
type keygenCmd struct {
	Out string `arg:"" help:"File for the private key; the public one is written beside it as FILE.pub." type:"path"`
}

func (c *keygenCmd) Run() error {
	private, public, err := policy.NewBundleKeys()
	if err != nil {
		return err
	}
	for path, text := range map[string][]byte{c.Out: private, c.Out + ".pub": public} {
		mode := os.FileMode(0o600)
		if path != c.Out {
			mode = 0o644
		}
		if err := writeNew(path, text, mode); err != nil {
			return err
		}
	}
	fmt.Printf("The private key is in %s; give the servers %s.pub as --policy-key.\n", c.Out, c.Out)
	return nil
}

// writeNew never writes over a file: a key that is gone signs nothing any more.
func writeNew(path string, text []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// exportRules writes what a bundle can replace.
type exportRules struct {
	Dir string `arg:"" help:"Directory to write to; made if missing." type:"path"`
}

func (c *exportRules) Run() error {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	for name, text := range policy.Embedded().Replaceable() {
		if err := writeNew(filepath.Join(c.Dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// signCmd makes a bundle.
type signCmd struct {
	Dir      string `arg:"" help:"Directory with Rego modules and data.json." type:"existingdir"`
	Revision int64  `help:"Number of this policy: higher than any before it." required:""`
	Key      string `help:"Private key (webmail policy keygen)." type:"existingfile" required:""`
	Out      string `help:"File to write." default:"policy.tar.gz" type:"path"`
}

func (c *signCmd) Run() error {
	if c.Revision < 1 {
		return errors.New("--revision must be at least 1")
	}
	key, err := os.ReadFile(c.Key)
	if err != nil {
		return fmt.Errorf("the signing key: %w", err)
	}
	source, err := policy.ReadSource(os.DirFS(c.Dir))
	if err != nil {
		return err
	}
	raw, err := policy.SignBundle(source, c.Revision, key)
	if err != nil {
		return err
	}
	// A server may be looking at the file: it sees the old one or the new one.
	temporary := c.Out + ".new"
	if err := os.WriteFile(temporary, raw, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, c.Out)
}

// checkCmd does offline what a server does before it puts a bundle in force.
type checkCmd struct {
	Bundle    string `arg:"" help:"The bundle." type:"existingfile"`
	PolicyKey string `help:"Public key that it must be signed with." type:"existingfile" required:""`
}

func (c *checkCmd) Run(ctx context.Context) error {
	key, err := readBundleKey(c.PolicyKey)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(c.Bundle)
	if err != nil {
		return err
	}
	bundle, err := policy.ReadBundle(raw, key)
	if err == nil {
		err = bundle.Check(ctx)
	}
	if errors.As(err, new(*policy.Rejected)) {
		return rejectedError{err}
	}
	if err != nil {
		return err
	}
	fmt.Printf("number %d, revision %s: signed, and looser than the built-in policy in nothing that was tried.\nA server takes it if it has not had number %d or a later one.\n", bundle.Number, bundle.Source.Revision(), bundle.Number)
	return nil
}

// readPolicy reads a policy to ask about: a directory or a bundle. With a key it must be signed; without one it is
// only looked at.
func readPolicy(path, keyPath string) (policy.Source, error) {
	if path == "" {
		return policy.Embedded(), nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if keyPath != "" {
			return nil, errors.New("a directory is not signed: leave --policy-key out, or sign it first")
		}
		return policy.ReadSource(os.DirFS(path))
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if keyPath == "" {
		return policy.ReadUnverifiedBundle(raw)
	}
	key, err := readBundleKey(keyPath)
	if err != nil {
		return nil, err
	}
	bundle, err := policy.ReadBundle(raw, key)
	if err != nil {
		return nil, rejectedError{err}
	}
	return bundle.Source, nil
}
