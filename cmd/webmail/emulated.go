//go:build !release

package main

// emulated are the commands that bring Google along. A release is built without them.
type emulated struct {
	Demo    demoCmd    `cmd:"" help:"Everything embedded: Gmail, Google sign-in, staff sign-in, databases, a mailbox to try."`
	Emulate emulateCmd `cmd:"" help:"The emulated Gmail API and Google sign-in alone, for anybody's tests."`
}
