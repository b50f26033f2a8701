package main

import (
	"errors"
	"net/url"

	"github.com/totalengage/webmail/frontend"
	"github.com/totalengage/webmail/policy"
)

// pubsub is how Gmail tells of changes by itself. Without it, open pages ask every --poll.
type pubsub struct {
	Topic    string `help:"Pub/Sub topic that Gmail publishes changes to (projects/P/topics/T); gmail-api-push@system.gserviceaccount.com must be allowed to publish." name:"pubsub-topic"`
	Account  string `help:"Service account of the topic's push subscription to /push/gmail, which must use authentication." name:"pubsub-account"`
	Audience string `help:"Audience of the subscription's tokens. Default: the address of /push/gmail." name:"pubsub-audience"`
}

func (p *pubsub) check(public *url.URL) error {
	if p.Topic == "" {
		return nil
	}
	if p.Account == "" {
		return errors.New("--pubsub-topic needs --pubsub-account: notifications are taken from that account alone")
	}
	if public.Scheme != "https" && !policy.Loopback(public.Hostname()) {
		return errors.New("--pubsub-topic needs a --public-url with https: notifications are not taken without TLS")
	}
	if p.Audience == "" {
		p.Audience = public.Scheme + "://" + public.Host + frontend.PushPath
	}
	return nil
}
