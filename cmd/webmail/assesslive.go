package main

import (
	"context"

	"github.com/totalengage/webmail/frontend/signin"
	"github.com/totalengage/webmail/policy/assess"
	"github.com/totalengage/webmail/policy/consent"
)

// evidence is what a reviewer sees of this running system: the same as a pack says of one, less what only a run of the
// tests or a reading of the whole log can say.
func (s *system) evidence(ctx context.Context, limit int) ([]assess.Section, int, error) {
	now := s.decided.Now()
	config, err := evidence(now, s.options.LogOrigin, s.decided)
	if err != nil {
		return nil, 0, err
	}
	config.Limit = limit
	config.Collectors = collectors(s.product, consent.Product{
		Name: s.options.product.Name, Operator: s.options.Operator, Contact: s.options.Contact, HelpURL: s.options.PublicURL + signin.HelpPath,
	}, now)
	return assess.Live(ctx, config)
}
