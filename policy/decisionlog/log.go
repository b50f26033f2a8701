package decisionlog

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/totalengage/webmail/internal/database"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config says which log this is and who signs for it.
type Config struct {
	// Origin names the log for ever: it is the first line of each checkpoint, such as "example.com/webmail/decisions".
	Origin string

	// Signer signs checkpoints and Verifier checks them; both come from LoadOrCreateKey.
	Signer   note.Signer
	Verifier note.Verifier

	// Kept is a checkpoint of this log from outside its database, if there is one. Open refuses a log that
	// does not contain all that Kept commits to.
	Kept []byte

	// Now is the clock; time.Now if nil.
	Now func() time.Time

	// Timeout bounds one transaction of the log, waiting for other nodes included; 10 seconds if zero.
	Timeout time.Duration

	// Poll is how often Tail looks for events of other nodes; one second if zero.
	Poll time.Duration
}

// Log is an open log. It is safe for concurrent use, and several, in one process or many, may be open over one
// database at once.
type Log struct {
	cfg Config
	db  *database.DB

	queue   chan *request // from callers to the committer
	closing chan struct{} // closed by Close
	stopped chan struct{} // closed when the committer has ended

	clock atomic.Int64 // the latest time given out by Now or found in the log, in microseconds

	prepared prepared // the committer's statements

	// head is what the log is known to hold. It belongs to the committer.
	head head

	mu    sync.Mutex
	state State
	grown chan struct{} // closed, and replaced, whenever the log has grown

	// fault lets tests fail any step, before or after it was carried out. It is nil in the product.
	fault func(step string, after bool) error
}

// head is a believed head: the row, and the right edge of the tree that it stands for.
type head struct {
	tree     tlog.Tree
	edge     frontier
	keptFrom int64
}

// State tells whether the log accepts events.
type State struct {
	Open  bool
	Err   error     // why not: the failure of the last attempt to write, or ErrClosed
	Since time.Time // since when it is so, by the log's clock
	Size  int64     // events known to be in the log
}

// Open opens the log in db, creating its tables and an empty log where there is none. It checks that the head
// row fits its signed checkpoint, the stored tree and cfg.Kept, and refuses with a typed error (see [BadHead] and
// its neighbours) when something is wrong. The check reads some 60 rows whatever the log's size; [Log.Verify]
// reads all.
func Open(ctx context.Context, db *database.DB, cfg Config) (*Log, error) {
	l := newLog(db, cfg)
	if err := checkKeyPair(cfg); err != nil {
		return nil, err
	}
	set, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "decisionlog", set); err != nil {
		return nil, err
	}
	if err := l.createHead(ctx); err != nil {
		return nil, err
	}
	if err := l.loadHead(ctx); err != nil {
		return nil, err
	}
	if l.prepared, err = prepare(ctx, db); err != nil {
		return nil, err
	}
	l.state = State{Open: true, Since: l.Now(), Size: l.head.tree.N}
	go l.commitQueue()
	return l, nil
}

// OpenReadOnly opens a log for an audit: it changes nothing, needs no private key, and opens damaged logs
// too, so that [Log.Verify] can say what is wrong.
func OpenReadOnly(_ context.Context, db *database.DB, origin string, verifier note.Verifier) (*Log, error) {
	if origin == "" || verifier == nil {
		return nil, errors.New("decisionlog: a log needs an origin and a verifier")
	}
	l := newLog(db, Config{Origin: origin, Verifier: verifier})
	l.state = State{Err: ErrReadOnly, Since: l.Now()}
	close(l.stopped)
	return l, nil
}

func newLog(db *database.DB, cfg Config) *Log {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Poll == 0 {
		cfg.Poll = time.Second
	}
	return &Log{
		cfg:     cfg,
		db:      db,
		queue:   make(chan *request, queueLength),
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
		grown:   make(chan struct{}),
	}
}

// checkKeyPair refuses a signer whose signatures the verifier would not accept, before anything is signed.
func checkKeyPair(cfg Config) error {
	if cfg.Origin == "" || cfg.Signer == nil || cfg.Verifier == nil {
		return errors.New("decisionlog: a log needs an origin, a signer and a verifier")
	}
	text, err := SignCheckpoint(cfg.Origin, emptyTree, cfg.Signer)
	if err != nil {
		return fmt.Errorf("decisionlog: sign: %w", err)
	}
	if _, err := OpenCheckpoint(text, cfg.Origin, cfg.Verifier); err != nil {
		return fmt.Errorf("decisionlog: signer, verifier and origin do not fit together: %w", err)
	}
	return nil
}

// createHead writes the head of an empty log unless there is one. A log that has lost its head row is not
// empty: its hashes show it, and it is left for loadHead to refuse.
func (l *Log) createHead(ctx context.Context) error {
	text, err := SignCheckpoint(l.cfg.Origin, emptyTree, l.cfg.Signer)
	if err != nil {
		return err
	}
	return l.write(ctx, func(tx transaction) error {
		var reach extent
		err := tx.QueryRowContext(ctx, `SELECT `+selectExtent).Scan(&reach.events, &reach.hashes)
		if err != nil || reach != emptyExtent {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO decisionlog_head (id, size, root, kept_from, checkpoint)
			VALUES (0, $1, $2, 0, $3) ON CONFLICT (id) DO NOTHING`, emptyTree.N, emptyTree.Hash[:], string(text))
		return err
	})
}

// loadHead reads the head for the first time and checks all that can be checked without reading the whole log.
func (l *Log) loadHead(ctx context.Context) error {
	return l.write(ctx, func(tx transaction) error { // a write transaction, so that no other node appends meanwhile
		if err := l.lock(ctx, tx); err != nil {
			return err
		}
		row, reach, err := readHeadAndExtent(ctx, tx)
		if err != nil {
			return err
		}
		if l.head, err = l.believe(ctx, tx, row); err != nil {
			return err
		}
		if err := reach.check(row); err != nil {
			return err
		}
		if l.cfg.Kept == nil {
			return nil
		}
		kept, err := l.openKept(l.cfg.Kept)
		if err != nil {
			return err
		}
		return extends(kept, row.tree, storedHashes(ctx, tx))
	})
}

// believe checks a head row against its signed checkpoint and the stored tree, and takes note of its time.
func (l *Log) believe(ctx context.Context, q querier, row headRow) (head, error) {
	signed, err := OpenCheckpoint([]byte(row.checkpoint), l.cfg.Origin, l.cfg.Verifier)
	if err != nil {
		return head{}, err
	}
	if signed != row.tree {
		return head{}, &BadHead{"size and root are not those of its signed checkpoint"}
	}
	edge, err := loadFrontier(row.tree.N, storedHashes(ctx, q))
	if err != nil {
		return head{}, err
	}
	if edge.tree() != signed {
		return head{}, &TamperedTree{signed.N}
	}
	lastAt, err := readLastAt(ctx, q)
	if err != nil {
		return head{}, err
	}
	l.notBefore(lastAt)
	return head{tree: signed, edge: edge, keptFrom: row.keptFrom}, nil
}

// check compares how far the tables reach with what the head says.
func (e extent) check(row headRow) error {
	hashes := tlog.StoredHashCount(row.tree.N)
	switch {
	case e.events >= row.tree.N:
		return &Surplus{"events", e.events}
	case e.hashes >= hashes:
		return &Surplus{"hashes", e.hashes}
	case e.events < row.tree.N-1:
		return &Gap{"events", e.events + 1}
	case e.hashes < hashes-1:
		return &Gap{"hashes", e.hashes + 1}
	}
	return nil
}

func (l *Log) openKept(text []byte) (tlog.Tree, error) {
	tree, err := OpenCheckpoint(text, l.cfg.Origin, l.cfg.Verifier)
	if bad := (*BadCheckpoint)(nil); errors.As(err, &bad) {
		bad.Kept = true
	}
	return tree, err
}

// Now is the log's clock, in microseconds: the configured clock, but never earlier than an event in the log nor
// than what Now returned before.
func (l *Log) Now() time.Time {
	return time.UnixMicro(l.notBefore(l.cfg.Now().UnixMicro())).UTC()
}

// Drift is how far the machine's clock is behind the log's: zero, unless it was set back.
func (l *Log) Drift() time.Duration {
	machine := l.cfg.Now()
	return max(0, l.Now().Sub(machine))
}

// notBefore makes the clock at least micros and returns what it is then.
func (l *Log) notBefore(micros int64) int64 {
	for {
		latest := l.clock.Load()
		if micros <= latest {
			return latest
		}
		if l.clock.CompareAndSwap(latest, micros) {
			return micros
		}
	}
}

// State tells whether the log accepts events, and since when.
func (l *Log) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// Checkpoint returns the log's newest signed checkpoint and the tree it commits to.
func (l *Log) Checkpoint(ctx context.Context) (text []byte, tree tlog.Tree, err error) {
	row, err := readHead(ctx, l.db.Read())
	if err != nil {
		return nil, tlog.Tree{}, err
	}
	tree, err = OpenCheckpoint([]byte(row.checkpoint), l.cfg.Origin, l.cfg.Verifier)
	if err != nil {
		return nil, tlog.Tree{}, err
	}
	if tree != row.tree {
		return nil, tlog.Tree{}, &BadHead{"size and root are not those of its signed checkpoint"}
	}
	return []byte(row.checkpoint), tree, nil
}

// Hashes gives access to the stored hashes of the tree, for proofs and tiles made with package tlog.
func (l *Log) Hashes(ctx context.Context) tlog.HashReader { return storedHashes(ctx, l.db.Read()) }

// Close writes what is queued, then ends the log. The database stays open; it belongs to the caller.
func (l *Log) Close() error {
	l.mu.Lock()
	if !errors.Is(l.state.Err, ErrClosed) {
		l.state.Open, l.state.Err, l.state.Since = false, ErrClosed, l.Now()
		close(l.closing)
	}
	l.mu.Unlock()
	<-l.stopped
	return l.prepared.close() // closing a statement twice does nothing
}
