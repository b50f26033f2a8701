package decisionlog_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// The child process of TestKilled finds its task here.
const (
	killURL   = "WEBMAIL_KILL_URL"   // of the database
	killKey   = "WEBMAIL_KILL_KEY"   // path of the log's key
	killRound = "WEBMAIL_KILL_ROUND" // makes its events' names unique
)

// TestKilled kills a process that appends under load with SIGKILL, over the same log again and again. Whatever it was
// told is written must be there. WEBMAIL_KILL_ROUNDS sets the number of kills (default 3).
func TestKilled(t *testing.T) {
	rounds := 3
	if given := os.Getenv("WEBMAIL_KILL_ROUNDS"); given != "" {
		var err error
		if rounds, err = strconv.Atoi(given); err != nil {
			t.Fatal(err)
		}
	}
	databasetest.EachURL(t, func(t *testing.T, url string) {
		keyFile := filepath.Join(t.TempDir(), "log.key")
		signer, verifier, err := decisionlog.LoadOrCreateKey(keyFile, origin)
		if err != nil {
			t.Fatal(err)
		}
		acked := make(map[int64]string)
		for round := range rounds {
			appendUntilKilled(t, url, keyFile, round, acked)
		}
		log := openLog(t, databasetest.Open(t, url), decisionlog.Config{Origin: origin, Signer: signer, Verifier: verifier})
		got := names(t, log)
		for index, name := range acked {
			if got[index] != name {
				t.Errorf("event %d: got %q, want the acknowledged %q", index, got[index], name)
			}
		}
		mustBeDistinct(t, got)
		report, err := log.Verify(t.Context(), decisionlog.VerifyOptions{})
		if err != nil || report.Tree.N != int64(len(got)) {
			t.Errorf("verify: got %d events, %v, want %d", report.Tree.N, err, len(got))
		}
		t.Logf("%d kills: %d acknowledged, %d more in the log", rounds, len(acked), len(got)-len(acked))
	})
}

// appendUntilKilled runs a child and kills it in the midst of some hundred acknowledgements, which it notes.
func appendUntilKilled(t *testing.T, url, keyFile string, round int, acked map[int64]string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestChildAppends$")
	child.Env = append(os.Environ(), killURL+"="+url, killKey+"="+keyFile, killRound+"="+strconv.Itoa(round))
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for count := 0; lines.Scan(); count++ {
		if count == 200+37*round {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		var (
			index int64
			name  string
		)
		if n, _ := fmt.Sscanf(lines.Text(), "ack %d %s .", &index, &name); n != 2 {
			continue // the last line, cut short
		}
		if earlier, twice := acked[index]; twice {
			t.Errorf("index %d was given to %q and to %q", index, earlier, name)
		}
		acked[index] = name
	}
	child.Wait()
	if child.ProcessState.Success() {
		t.Fatal("the child ended by itself")
	}
}

// TestChildAppends is the child's part: it does nothing unless TestKilled started it, and then it ends by SIGKILL.
func TestChildAppends(t *testing.T) {
	url := os.Getenv(killURL)
	if url == "" {
		return
	}
	signer, verifier, err := decisionlog.LoadOrCreateKey(os.Getenv(killKey), origin)
	if err != nil {
		t.Fatal(err)
	}
	log := openLog(t, databasetest.Open(t, url), decisionlog.Config{Origin: origin, Signer: signer, Verifier: verifier})
	var wg sync.WaitGroup
	for caller := range 16 {
		wg.Go(func() {
			for i := 0; ; i++ {
				event := decision(i)
				event.Name = fmt.Sprintf("round%s/caller%d/%d", os.Getenv(killRound), caller, i)
				index, err := log.Append(t.Context(), event.entry(t))
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := fmt.Printf("ack %d %s .\n", index, event.Name); err != nil {
					return // nobody listens any more
				}
			}
		})
	}
	wg.Wait()
}
