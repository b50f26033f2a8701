// Package demodata is the mail of the demo: three mailboxes around a small
// company that makes garden and survey tools and does not exist. It is what
// somebody sees who runs the demo for the first time, and what screenshots show.
//
// The mail is written down as conversations in script/*.txt (the format is
// explained in script.go) and as HTML bodies in html/. From these [Seed] makes
// whole messages: one conversation becomes one message in each mailbox it
// reached, with the same Message-ID and References on both sides. People quote
// as their mail program does (quote.go), so that a client meets the quoting
// styles of Gmail, Outlook, Apple Mail and a terminal. Pictures, PDF files and
// other attachments are drawn by code (attach.go, picture.go, pdf.go).
//
// All dates count back from the time given to Seed; the newest message is
// always some minutes old. For one such time the result is always the same.
//
// Every address and link lies under example.com, example.org or example.net,
// which RFC 2606 keeps out of use: nothing here can reach a real person.
//
// It costs about a quarter of a second, mostly for drawing, and one megabyte.
package demodata
