package databasetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// supervisor starts a server in the directory $1 with the programs in $2 and waits until its standard input
// ends. The other end of that pipe is held by the test process alone, so it ends when the process does, be it
// by return, panic, timeout or SIGKILL; then the server is stopped at once and the directory removed.
const supervisor = `
dir=$1 bin=$2
"$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 || exit
"$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c max_connections=300 -c log_min_messages=fatal \
	>>"$dir/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -QUIT $server 2>/dev/null
wait $server
rm -rf "$dir"
`

// startTimeout is generous: on a busy machine initdb alone has been seen to take many seconds.
const startTimeout = 2 * time.Minute

// startServer starts a private server and returns the URL of its database "postgres".
func startServer() (string, error) {
	bin, err := programs()
	if err != nil {
		return "", err
	}
	dir, credential, err := serverDirectory()
	if err != nil {
		return "", err
	}
	exited, err := supervise(dir, bin, credential)
	if err != nil {
		return "", fmt.Errorf("start PostgreSQL: %w", err)
	}
	server := "postgres://postgres@/postgres?host=" + url.QueryEscape(dir)
	if err := waitReady(server, exited); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		os.RemoveAll(dir)
		return "", fmt.Errorf("start PostgreSQL: %w\n%s", err, log)
	}
	return server, nil
}

// programs finds the folder with the newest installed initdb and postgres.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	version := func(initdb string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
		return n
	}
	if len(found) > 0 {
		newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
		return filepath.Dir(newest), nil
	}
	if initdb, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(initdb), nil
	}
	return "", errors.New("this test needs PostgreSQL's server programs: apt-get install postgresql " +
		"(or set WEBMAIL_TEST_POSTGRES to a server's URL, or WEBMAIL_TEST_NO_POSTGRES=1 to leave it out)")
}

// serverDirectory makes the server's directory. Its path is short, because a Unix socket's path holds at most
// about 100 bytes. PostgreSQL refuses to run as root: then the directory, and the returned credential, belong
// to user postgres.
func serverDirectory() (dir string, credential *syscall.Credential, err error) {
	parent := os.TempDir()
	if os.Geteuid() == 0 || len(parent) > 60 {
		parent = "/tmp" // short, and open to every user
	}
	dir, err = os.MkdirTemp(parent, "webmail-pg-")
	if err != nil || os.Geteuid() != 0 {
		return dir, nil, err
	}
	postgres, err := user.Lookup("postgres")
	if err != nil {
		return "", nil, fmt.Errorf("root cannot run PostgreSQL, and there is no user postgres: %w", err)
	}
	uid, err := strconv.ParseUint(postgres.Uid, 10, 32)
	if err != nil {
		return "", nil, err
	}
	gid, err := strconv.ParseUint(postgres.Gid, 10, 32)
	if err != nil {
		return "", nil, err
	}
	return dir, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, int(uid), int(gid))
}

// lifeline is our end of the supervisor's pipe. It is kept here so that it is never collected, hence closed,
// while the process lives.
//
//lint:ignore U1000 holding it is its use
var lifeline io.WriteCloser

// supervise runs the supervisor. The returned channel is closed if it ends, which it should not before we do.
func supervise(dir, bin string, credential *syscall.Credential) (exited <-chan struct{}, err error) {
	cmd := exec.Command("/bin/sh", "-c", supervisor, "webmail-test-postgres", dir, bin)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential, Setsid: true} // an interrupt at the terminal is not for it
	if lifeline, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		cmd.Process.Wait() // not cmd.Wait, which would close the pipe we hold
		close(done)
	}()
	return done, nil
}

func waitReady(server string, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, server)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-exited:
			return errors.New("the server ended")
		case <-ctx.Done():
			return fmt.Errorf("not ready after %v: %s", startTimeout, strings.TrimSpace(err.Error()))
		case <-time.After(20 * time.Millisecond):
		}
	}
}
