package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/decisionlog/eventfile"
)

// exportCmd writes what an auditor takes along.
type exportCmd struct {
	storage
	eventFilter
	Tiles  string `help:"Write the whole log to this empty directory, in the layout of C2SP tlog-tiles." type:"path" placeholder:"DIR"`
	Events string `help:"Write the events that pass the filter to this new file, and what they are beside it, with .manifest.json appended." type:"path" placeholder:"FILE"`
	Format string `help:"Of the events: jsonl or csv." enum:"jsonl,csv" default:"jsonl"`
}

func (c *exportCmd) Run(ctx context.Context) error {
	if (c.Tiles == "") == (c.Events == "") {
		return errors.New("one of --tiles DIR and --events FILE is needed")
	}
	log, done, err := c.openLog(ctx)
	if err != nil {
		return err
	}
	defer done()
	if c.Tiles != "" {
		return c.tiles(ctx, log)
	}
	return c.events(ctx, log)
}

func (c *exportCmd) tiles(ctx context.Context, log *decisionlog.Log) error {
	if err := os.MkdirAll(c.Tiles, 0o755); err != nil {
		return err
	}
	if there, err := os.ReadDir(c.Tiles); err != nil || len(there) > 0 {
		return errors.Join(err, fmt.Errorf("%s is not empty; give a new directory", c.Tiles))
	}
	report, err := log.WriteTiles(ctx, func(path string) (io.WriteCloser, error) {
		name := filepath.Join(c.Tiles, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return nil, err
		}
		return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	})
	if err != nil {
		return err
	}
	fmt.Printf("%d events in %d files\nroot %s\n", report.Tree.N, report.Files, report.Tree.Hash)
	if report.KeptFrom > 0 {
		fmt.Printf("events begin at leaf %d; of earlier ones only hashes are kept\n", report.KeptFrom)
	}
	return nil
}

func (c *exportCmd) events(ctx context.Context, log *decisionlog.Log) error {
	f, err := c.filter()
	if err != nil {
		return err
	}
	checkpoint, tree, err := log.Checkpoint(ctx)
	if err != nil {
		return finding(err)
	}
	if tree.N == 0 {
		return errors.New("the log is empty")
	}
	f.Before = tree.N
	file, err := os.OpenFile(c.Events, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	out, err := eventfile.NewWriter(file, c.Format)
	if err != nil {
		return err
	}
	err = eachEvent(ctx, log, f, math.MaxInt, out.Write)
	if err := errors.Join(err, out.Flush(), file.Close()); err != nil {
		return err
	}
	said, err := json.MarshalIndent(eventfile.Manifest{
		File: filepath.Base(c.Events), SHA256: out.SHA256(), Format: c.Format, Filter: c.eventFilter, Count: out.Count(), TreeSize: tree.N, Checkpoint: string(checkpoint),
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.Events+".manifest.json", append(said, '\n'), 0o644); err != nil {
		return err
	}
	fmt.Printf("%d of %d events\n", out.Count(), tree.N)
	return nil
}

// proofCmd proves one event.
type proofCmd struct {
	storage
	Event string `arg:"" help:"Decision id, or leaf index."`
	Out   string `help:"File to write; - is standard output." default:"-"`
}

func (c *proofCmd) Run(ctx context.Context) error {
	log, done, err := c.openLog(ctx)
	if err != nil {
		return err
	}
	defer done()
	index, err := strconv.ParseInt(c.Event, 10, 64)
	if err != nil {
		page, err := log.Query(ctx, decisionlog.Filter{Kind: decisionlog.Decision, DecisionID: c.Event, Limit: 1})
		if err != nil {
			return err
		}
		if len(page.Records) == 0 {
			return errors.New("the log holds no decision of this id; give a decision id or a leaf index")
		}
		index = page.Records[0].Index
	}
	proof, err := log.Prove(ctx, index)
	if err != nil {
		return finding(err)
	}
	if c.Out == "-" {
		_, err = os.Stdout.Write(proof.Marshal())
		return err
	}
	return os.WriteFile(c.Out, proof.Marshal(), 0o644)
}

// checkProofCmd needs neither the log nor its database.
type checkProofCmd struct {
	Proof string `arg:"" help:"The proof." type:"existingfile"`
	Key   string `help:"The log's public key, which the operator publishes (keys/log.key.pub)." type:"existingfile" required:""`
}

func (c *checkProofCmd) Run() error {
	verifier, err := decisionlog.LoadVerifier(c.Key)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(c.Proof)
	if err != nil {
		return err
	}
	proof, tree, err := decisionlog.VerifyProof(text, verifier.Name(), verifier)
	if err != nil {
		return finding(err)
	}
	fmt.Printf("%s\n", proof.Body)
	fmt.Fprintf(os.Stderr, "leaf %d of %d, signed by %s\n", proof.Index, tree.N, verifier.Name())
	return nil
}
