package inbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/internal/database/databasetest"
)

// childPlan tells a child process what to do; it travels in the environment.
type childPlan struct {
	Database, Logs, Gmail string
	Key, Subject          string
	DieAt                 string        // "" lives until the message is sent
	Ahead                 time.Duration // of the child's clock
}

const childEnv = "WEBMAIL_TEST_CHILD"

// TestKilledWhileSending ends the program with SIGKILL at every step of a send, starts it again, and counts the
// copies that the recipient has. WEBMAIL_KILL_ROUNDS says how often (20).
func TestKilledWhileSending(t *testing.T) {
	if plan := os.Getenv(childEnv); plan != "" {
		runChild(t, plan)
		return
	}
	rounds := 20
	if n, err := strconv.Atoi(os.Getenv("WEBMAIL_KILL_ROUNDS")); err == nil {
		rounds = n
	}
	steps := []string{"accepted", "claimed", "creating", "created", "drafted", "sending", "left", "sent"}
	databasetest.EachURL(t, func(t *testing.T, url string) {
		p := newPost(t, time.Now)
		logs := t.TempDir()
		for i := range (rounds + 1) / 2 { // the rest on the other database
			plan := childPlan{Database: url, Logs: logs, Gmail: p.url, Key: fmt.Sprintf("kill-round-%08d", i), Subject: fmt.Sprintf("Kill %d", i)}
			plan.DieAt = steps[i%len(steps)]
			killed := runPlan(t, plan)
			if status, ok := killed.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
				t.Fatalf("at %s: the child ended by itself: %v", plan.DieAt, killed)
			}
			at := plan.DieAt
			plan.DieAt, plan.Ahead = "", time.Duration(i+1)*2*time.Minute // PostgreSQL waits for the lease to run out
			if state := runPlan(t, plan); !state.Success() {
				t.Fatalf("after a kill at %s: the second child failed: %v", at, state)
			}
			if n := p.copies(t, bob, "INBOX", plan.Subject); n != 1 {
				t.Errorf("killed at %s: bob has %d copies, want 1", at, n)
			}
			if n := p.copies(t, alice, "SENT", plan.Subject); n != 1 {
				t.Errorf("killed at %s: Sent has %d copies, want 1", at, n)
			}
			if n := p.drafts(t, alice); n != 0 {
				t.Errorf("killed at %s: %d drafts are left, want 0", at, n)
			}
		}
	})
}

// runPlan runs this test binary as a child.
func runPlan(t *testing.T, plan childPlan) *os.ProcessState {
	t.Helper()
	encoded, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKilledWhileSending$", "-test.count=1")
	child.Env = append(os.Environ(), childEnv+"="+string(encoded))
	var output bytes.Buffer
	child.Stdout, child.Stderr = &output, &output
	err = child.Run()
	if child.ProcessState == nil {
		t.Fatal(err)
	}
	if plan.DieAt == "" && err != nil {
		t.Logf("child: %s", output.Bytes())
	}
	return child.ProcessState
}

// runChild is the program that gets killed: it asks to send, and sends.
func runChild(t *testing.T, encoded string) {
	var plan childPlan
	if err := json.Unmarshal([]byte(encoded), &plan); err != nil {
		t.Fatal(err)
	}
	inbox.AtStep(func(step string) {
		if step == plan.DieAt {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until it arrives
		}
	})
	c := &clock{}
	c.pass(plan.Ahead)
	o := newOffice(t, databasetest.Open(t, plan.Database), plan.Logs, plan.Gmail, c, time.Millisecond)
	item := o.send(t, letterTo(bob, plan.Subject, "<p>once</p>"), plan.Key)
	if err := o.StartSender(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer o.StopSender()
	for range 3000 {
		switch o.state(t, item.ID).State {
		case inbox.Sent:
			return
		case inbox.Failed:
			t.Fatalf("it failed: %s", o.state(t, item.ID).Error)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("it was not sent within a minute")
}
