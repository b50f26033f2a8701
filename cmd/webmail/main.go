// Command webmail is the whole product in one program: the server (serve), a demonstration with everything
// embedded (demo), the emulated Gmail and Google sign-in alone (emulate), and the auditor's tools (audit).
//
// Flags, WEBMAIL_* variables and one configuration file say the same things; see --help and README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/totalengage/webmail/policy/consent"
)

// version is set at release builds: -ldflags "-X main.version=v1.2.3".
var version = "development"

// cli is the command line. Each command says in its own file what it does.
type cli struct {
	Config  kong.ConfigFlag  `help:"YAML file with any of the flags, named as they are without dashes in front; unknown keys are errors." placeholder:"FILE" env:"WEBMAIL_CONFIG"`
	Version kong.VersionFlag `help:"Print the version and exit."`

	Serve serveCmd `cmd:"" help:"Serve the inbox over real Gmail (or given endpoints)."`
	Audit auditCmd `cmd:"" help:"Read and verify the decision log."`

	Assess assessCmd `cmd:"" help:"Evidence packs for reviewers of the promise."`
	Policy policyCmd `cmd:"" help:"Make, check and try policies."`

	Platform platformCmd `cmd:"" help:"For those who write another service that calls the product."`

	emulated
}

// Exit codes. A verification that fails has its own, so that a script can tell it from a usage error.
const (
	exitFailure = 1
	exitUsage   = 2
	exitVerify  = 3
	exitChanges = 4 // another policy would decide otherwise
)

func main() { os.Exit(run(os.Args[1:])) }

// run is main as a function, for tests. SIGTERM and an interrupt end what runs, in order.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	parser, err := kong.New(&c, kong.Name("webmail"),
		kong.Description("A Gmail inbox for your product, every access decided by policy and provably recorded."),
		kong.Vars{"version": version, "gmail": googleEndpoint, "weaknesses": weaknessNames(), "people": peopleNames(), "disclosure": strconv.Itoa(consent.Current)}, kong.DefaultEnvars("WEBMAIL"), kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Configuration(readConfig), kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		return failed(err)
	}
	command, err := parser.Parse(args)
	if err != nil {
		parser.Errorf("%s", err)
		return exitUsage
	}
	return failed(command.Run())
}

func failed(err error) int {
	if err == nil || errors.Is(err, context.Canceled) {
		return 0
	}
	fmt.Fprintln(os.Stderr, "webmail:", err)
	switch {
	case errors.As(err, new(*verifyError)), errors.As(err, new(rejectedError)):
		return exitVerify
	case errors.As(err, new(changesError)):
		return exitChanges
	}
	return exitFailure
}
