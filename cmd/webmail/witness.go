package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/decisionlog/witness"
)

// witnessCmd is what an auditor runs, away from the operator's machines.
type witnessCmd struct {
	Addr  string   `help:"Address to listen on. Put a TLS proxy before it; the log speaks plain HTTP to loopback alone." default:"127.0.0.1:8030"`
	Name  string   `help:"Name of the witness in its signatures, such as example.org/witness. Used when the key is made." required:""`
	State string   `help:"Directory for the key and the last checkpoint signed of each log. Losing it lets a log start anew: keep copies." type:"path" required:""`
	Log   []string `help:"Public key of a log to look after (keys/log.key.pub of its operator)." type:"existingfile" required:""`
}

func (c *witnessCmd) Run(ctx context.Context) error {
	secret, err := witness.LoadOrCreateKey(c.State+".key", c.Name)
	if err != nil {
		return err
	}
	config := witness.ServerConfig{Key: secret, Dir: c.State}
	var origins []string
	for _, path := range c.Log {
		verifier, err := decisionlog.LoadVerifier(path)
		if err != nil {
			return err
		}
		config.Logs, origins = append(config.Logs, verifier), append(origins, verifier.Name())
	}
	server, err := witness.NewServer(config)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	fmt.Printf("witness of %v at http://%s (its public key: %s.key.pub)\n", origins, l.Addr(), c.State)
	return serveUntil(ctx, l, server)
}

// cosigning says which witness signs for the log.
type cosigning struct {
	Witness     string        `help:"URL of a witness (C2SP tlog-witness) that cosigns the decision log."`
	WitnessKey  string        `help:"File with the witness's public key." type:"path"`
	WitnessTerm time.Duration `help:"How long the log may grow without a cosignature before access to mail is paused." default:"10m"`
}

func (c cosigning) check() error {
	if (c.Witness == "") != (c.WitnessKey == "") {
		return errors.New("--witness and --witness-key belong together")
	}
	return nil
}

// keeper has the log cosigned; it is nil without a witness.
func (c cosigning) keeper(log *decisionlog.Log, client *http.Client) (*witness.Keeper, error) {
	if c.Witness == "" {
		return nil, nil
	}
	verifier, err := witness.LoadVerifier(c.WitnessKey)
	if err != nil {
		return nil, err
	}
	return witness.NewKeeper(witness.KeeperConfig{Log: log, URL: c.Witness, Verifier: verifier, Client: client, Limit: c.WitnessTerm, Every: min(15*time.Second, c.WitnessTerm/4)})
}

// contactWitness asks the witness once before anything is served. A log that the witness knows otherwise is not
// served at all; a witness that is away has until the term is over.
func (s *system) contactWitness(ctx context.Context) error {
	if s.keeper == nil {
		return nil
	}
	err := s.keeper.Cosign(ctx)
	var (
		rolledBack *decisionlog.RolledBack
		forked     *decisionlog.Forked
	)
	switch {
	case errors.As(err, &rolledBack), errors.As(err, &forked):
		return fmt.Errorf("the witness knows another history of this decision log; if it was restored from a copy, that copy cannot go on under the same name: %w", err)
	case err != nil:
		s.log.Warn("the witness was not reached; access to mail is paused when the term is over", "term", s.options.WitnessTerm)
	}
	return nil
}
