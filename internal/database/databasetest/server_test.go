package databasetest_test

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/internal/database/databasetest"
)

// TestServerEndsWithItsProcess kills a test process that runs a server: the server must end and take its
// directory with it. (When the environment gives a server, or none is wanted, nothing is started to begin with.)
func TestServerEndsWithItsProcess(t *testing.T) {
	if databasetest.WithoutPostgreSQL() || os.Getenv("WEBMAIL_TEST_POSTGRES") != "" {
		t.Log("no private server in this run")
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestChildHoldsServer$", "-test.v")
	child.Env = append(os.Environ(), "WEBMAIL_TEST_HOLD_SERVER=1")
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var dir string
	lines := bufio.NewScanner(stdout)
	for dir == "" && lines.Scan() {
		_, dir, _ = strings.Cut(lines.Text(), "server directory: ")
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	child.Wait()
	if _, err := os.Stat(dir); dir == "" {
		t.Fatalf("the child started no server: %v", err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there a minute after its process was killed", dir)
		}
	}
}

// TestChildHoldsServer is the child's part: it does nothing unless the test above started it.
func TestChildHoldsServer(t *testing.T) {
	if os.Getenv("WEBMAIL_TEST_HOLD_SERVER") == "" {
		return
	}
	server, err := url.Parse(databasetest.PostgreSQL(t))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("server directory: %s\n", server.Query().Get("host"))
	time.Sleep(time.Minute)
}
