package database

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Sizes of the two pools. A node therefore holds at most 24 of the server's connections (max_connections is
// 100 unless raised).
const (
	postgresWriters = 12
	postgresReaders = 12
)

// idleConnection is how long an unused connection is kept.
const idleConnection = 5 * time.Minute

// openPostgreSQL sets up both pools over the server that the connection string names.
func (d *DB) openPostgreSQL(connection string) error {
	config, err := pgx.ParseConfig(connection) // its errors leave the password out
	if err != nil {
		return err
	}
	if !d.readOnly {
		d.write = stdlib.OpenDB(*config, stdlib.OptionAfterConnect(prepareWriter))
		d.write.SetMaxOpenConns(postgresWriters)
		d.write.SetMaxIdleConns(postgresWriters)
		d.write.SetConnMaxIdleTime(idleConnection)
	}
	d.read = stdlib.OpenDB(*config, stdlib.OptionAfterConnect(prepareReader))
	d.read.SetMaxOpenConns(postgresReaders)
	d.read.SetMaxIdleConns(postgresReaders)
	d.read.SetConnMaxIdleTime(idleConnection)
	return nil
}

// prepareWriter makes a session's commits durable even where the server's default is not to wait for its disk
// ("on", "remote_apply" and the like are left alone), and ends a transaction whose program hangs, so that the
// locks it holds cannot stop every other node.
func prepareWriter(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SELECT
		set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, FALSE),
		set_config('idle_in_transaction_session_timeout', '60s', FALSE)`)
	return err
}

// prepareReader makes a session refuse writes, as query_only does on SQLite.
func prepareReader(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SELECT set_config('default_transaction_read_only', 'on', FALSE)`)
	return err
}
