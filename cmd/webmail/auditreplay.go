package main

import (
	"context"
	"fmt"
	"time"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy"
)

// period is the part of the log that a replay is about.
type period struct {
	Since string `help:"Not before this time (RFC 3339), or so long ago (such as 24h)."`
	Until string `help:"Before this time (RFC 3339)."`
	JSON  bool   `help:"Print JSON: each decision that comes out otherwise, then the counts."`
}

// replayCmd makes logged decisions again under the policy that each names.
type replayCmd struct {
	storage
	period
}

func (c *replayCmd) Run(ctx context.Context) error { return replayLog(ctx, c.storage, c.period, nil) }

// diffCmd makes logged decisions again under another policy.
type diffCmd struct {
	storage
	period
	Bundle    string `help:"The other policy: a signed bundle, or a directory of rules and tables (webmail policy export)." type:"path" required:""`
	PolicyKey string `help:"Public key that the bundle must be signed with; without it the bundle is only looked at." type:"existingfile"`
}

func (c *diffCmd) Run(ctx context.Context) error {
	source, err := readPolicy(c.Bundle, c.PolicyKey)
	if err != nil {
		return err
	}
	judge, err := policy.NewJudge(ctx, source)
	if err != nil {
		return rejectedError{err}
	}
	return replayLog(ctx, c.storage, c.period, judge)
}

// replayLog makes logged decisions again, under the policies that made them and, if there is one, under a candidate.
// It fails with a verifyError where a decision does not come out as logged, with a changesError where the candidate
// would decide otherwise.
func replayLog(ctx context.Context, s storage, p period, candidate *policy.Judge) error {
	log, done, err := s.openLog(ctx)
	if err != nil {
		return err
	}
	defer done()
	db, err := database.OpenReadOnly(ctx, s.logURL())
	if err != nil {
		return fmt.Errorf("the log's database: %w", err)
	}
	defer db.Close()
	run := policy.Replay{Log: log, Sources: policy.OpenSourcesReadOnly(db), Candidate: candidate}
	if run.Since, err = timeOrAge("--since", p.Since, time.Now()); err != nil {
		return err
	}
	if run.Until, err = parseTime("--until", p.Until); err != nil {
		return err
	}
	if p.JSON {
		run.Each = func(d policy.Difference) error { return eachLine([]policy.Difference{d}) }
	}
	report, err := run.Run(ctx)
	if err != nil {
		return err
	}
	if p.JSON {
		err = eachLine([]policy.Report{report})
	} else {
		err = printReport(report, run.Candidate)
	}
	switch {
	case err != nil:
		return err
	case report.Different > 0:
		return &verifyError{fmt.Errorf("%d decisions do not come out as logged under the policy that they name", report.Different)}
	case report.Refused+report.Allowed > 0:
		return changesError{report.Refused + report.Allowed}
	}
	return nil
}
