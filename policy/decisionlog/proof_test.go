package decisionlog_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy/decisionlog"
)

func TestProof(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		cfg := config(t)
		log := openLog(t, open(t), cfg)
		const size = 37
		fill(t, log, size)
		for n := range int64(size) {
			proof, err := log.Prove(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			got, tree, err := decisionlog.VerifyProof(proof.Marshal(), cfg.Origin, cfg.Verifier)
			if err != nil || got.Index != n || tree.N != size || !bytes.Equal(got.Body, proof.Body) {
				t.Errorf("event %d: proof of %d in %d: %v", n, got.Index, tree.N, err)
			}
		}
		if _, err := log.Prove(t.Context(), size); !errors.Is(err, decisionlog.ErrNoRecord) {
			t.Errorf("an event to come: %v", err)
		}
	})
}

// TestForgedProofs changes each part of a proof.
func TestForgedProofs(t *testing.T) {
	cfg := config(t)
	log := openLog(t, databasetest.Open(t, databasetest.SQLite(t)), cfg)
	fill(t, log, 20)
	first, err := log.Prove(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	other, err := log.Prove(t.Context(), 4)
	if err != nil {
		t.Fatal(err)
	}
	_, stranger := key(t)
	text := func(change func(*decisionlog.Proof)) []byte {
		p := first
		change(&p)
		return p.Marshal()
	}
	good := string(first.Marshal())
	for name, forged := range map[string][]byte{
		"another event":      text(func(p *decisionlog.Proof) { p.Body = other.Body }),
		"another index":      text(func(p *decisionlog.Proof) { p.Index = 4 }),
		"index beyond":       text(func(p *decisionlog.Proof) { p.Index = 20 }),
		"other hashes":       text(func(p *decisionlog.Proof) { p.Hashes = other.Hashes }),
		"fewer hashes":       text(func(p *decisionlog.Proof) { p.Hashes = p.Hashes[1:] }),
		"no hashes":          text(func(p *decisionlog.Proof) { p.Hashes = nil }),
		"changed checkpoint": []byte(strings.Replace(good, "\n20\n", "\n21\n", 1)),
		"no checkpoint":      text(func(p *decisionlog.Proof) { p.Checkpoint = nil }),
		"no header":          []byte(strings.TrimPrefix(good, "c2sp.org/")),
		"index with a sign":  []byte(strings.Replace(good, "index 3", "index +3", 1)),
		"no event":           []byte(strings.Replace(good, "extra ", "extra", 1)),
		"a hash cut short":   []byte(strings.Replace(good, first.Hashes[0].String(), first.Hashes[0].String()[:10], 1)),
		"nothing":            nil,
	} {
		var proof *decisionlog.BadProof
		var checkpoint *decisionlog.BadCheckpoint
		if _, _, err := decisionlog.VerifyProof(forged, cfg.Origin, cfg.Verifier); !errors.As(err, &proof) && !errors.As(err, &checkpoint) {
			t.Errorf("%s: %v, want a typed error", name, err)
		}
	}
	var checkpoint *decisionlog.BadCheckpoint
	if _, _, err := decisionlog.VerifyProof([]byte(good), cfg.Origin, stranger); !errors.As(err, &checkpoint) {
		t.Errorf("another log's key: %v", err)
	}
	if _, _, err := decisionlog.VerifyProof([]byte(good), "example.com/other", cfg.Verifier); !errors.As(err, &checkpoint) {
		t.Errorf("another log's name: %v", err)
	}
}

func FuzzVerifyProof(f *testing.F) {
	cfg := config(f)
	log := openLog(f, databasetest.Open(f, databasetest.SQLite(f)), cfg)
	fill(f, log, 5)
	real := map[string]bool{}
	for n := range int64(5) {
		proof, err := log.Prove(f.Context(), n)
		if err != nil {
			f.Fatal(err)
		}
		real[string(proof.Body)] = true
		f.Add(proof.Marshal())
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, _, err := decisionlog.VerifyProof(text, cfg.Origin, cfg.Verifier)
		if err == nil && !real[string(p.Body)] {
			t.Errorf("a proof of what is not in the log: %q", text)
		}
	})
}
