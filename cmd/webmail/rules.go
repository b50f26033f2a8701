package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/totalengage/webmail/policy"
)

// rules say which policy rules: the program's own, or a stricter one from a signed bundle.
type rules struct {
	PolicyBundle string        `help:"Signed policy bundle (webmail policy sign) to put in force instead of the built-in rules, and again whenever the file changes." type:"path"`
	PolicyKey    string        `help:"Public key that policy bundles must be signed with." type:"path"`
	PolicyPoll   time.Duration `help:"How often the policy bundle's file is looked at." default:"10s"`
}

func (r rules) check() error {
	switch {
	case (r.PolicyBundle == "") != (r.PolicyKey == ""):
		return errors.New("--policy-bundle and --policy-key need each other")
	case r.PolicyBundle != "" && r.PolicyPoll < 100*time.Millisecond:
		return errors.New("--policy-poll must be at least 100ms")
	}
	return nil
}

// followRules puts the policy bundle in force before anything is decided.
func (s *system) followRules(ctx context.Context) error {
	if s.options.PolicyBundle == "" {
		return nil
	}
	key, err := readBundleKey(s.options.PolicyKey)
	if err != nil {
		return err
	}
	if s.bundles, err = s.gate.Follow(s.options.PolicyBundle, key); err != nil {
		return err
	}
	return s.bundles.Start(ctx)
}

// keepRules puts newer bundles in force until ctx ends.
func (s *system) keepRules(ctx context.Context) {
	if s.bundles == nil {
		return
	}
	s.bundles.Run(ctx, s.options.PolicyPoll, func(err error) {
		s.log.Warn("the policy stays as it is", "why", err.Error(), "policy", s.gate.Revision())
	})
}

func readBundleKey(path string) (*policy.BundleKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the policy key: %w", err)
	}
	return policy.ParseBundleKey(text)
}
