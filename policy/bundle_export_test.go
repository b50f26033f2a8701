package policy

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// RulesRefuse says whether the embedded rules refuse an input without the floor's help.
func RulesRefuse(ctx context.Context, g *Gate, in Input) bool {
	e := g.engine.Load()
	basis, err := e.ask(ctx, e.rules, in.term())
	return err == nil && basis == ""
}

// AsWritten asks the rules as they are written.
func (j *Judge) AsWritten(ctx context.Context, in Input) (basis string, err error) {
	return j.engine.ask(ctx, j.engine.plain, in.term())
}

// SignFiles signs any files as a bundle, as another tool might.
func SignFiles(files map[string]string, privateKey []byte) ([]byte, error) {
	var b bundle.Bundle
	for name, text := range files {
		switch {
		case name == ".manifest":
			if err := json.Unmarshal([]byte(text), &b.Manifest); err != nil {
				return nil, err
			}
		case name == dataFile:
			if err := json.Unmarshal([]byte(text), &b.Data); err != nil {
				return nil, err
			}
		case strings.HasSuffix(name, ".rego"):
			parsed, err := ast.ParseModule(name, text)
			if err != nil {
				return nil, err
			}
			b.Modules = append(b.Modules, bundle.ModuleFile{URL: name, Path: "/" + name, Raw: []byte(text), Parsed: parsed})
		}
	}
	id, algorithm, err := signingKey(privateKey)
	if err != nil {
		return nil, err
	}
	if err := b.GenerateSignature(bundle.NewSigningConfig(string(privateKey), algorithm, ""), id, true); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = bundle.NewWriter(&out).UseModulePath(true).DisableFormat(true).Write(b)
	return out.Bytes(), err
}

// SwapSources stores one policy's text under the revision of another.
func SwapSources(ctx context.Context, db *database.DB, revision, with string) error {
	return db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE policy_sources SET source = (SELECT source FROM policy_sources WHERE revision = $2) WHERE revision = $1`, revision, with)
		return err
	})
}

// ForgeDecision appends the newest decision once more with another input, as somebody with the log's key could.
func ForgeDecision(ctx context.Context, log *decisionlog.Log, g *Gate, change func(*Input)) error {
	page, err := log.Query(ctx, decisionlog.Filter{Kind: decisionlog.Decision, Limit: 1})
	if err != nil {
		return err
	}
	var ev loggedDecision
	if err := json.Unmarshal(page.Records[0].Body, &ev); err != nil {
		return err
	}
	change(&ev.Input)
	entry, err := decisionEntry("forged", nil, g.Revision(), ev.Input, decisionResult(ev.Result), log.Now())
	if err != nil {
		return err
	}
	_, err = log.Append(ctx, entry)
	return err
}
