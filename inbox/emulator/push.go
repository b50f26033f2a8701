package emulator

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Push is where notifications of watched mailboxes go, whatever their topic: an
// endpoint as a Pub/Sub push subscription has one. The zero value sends none; watch
// works all the same.
type Push struct {
	// URL is POSTed to. Answers 102, 200, 201, 202 and 204 acknowledge; anything else
	// has the notification sent again, after 0.1 s, then 0.2 s, at most 10 s apart, for
	// ten minutes.
	URL string
	// Sign makes the OIDC token of the Authorization header; nil sends none.
	Sign func(audience string) (string, error)
	// Audience is what the token is for; "" is the URL.
	Audience string
}

const (
	pushRetryMin  = 100 * time.Millisecond
	pushRetryMax  = 10 * time.Second
	pushGiveUp    = 10 * time.Minute
	pushDeadline  = 10 * time.Second // for an answer
	maxPushesOpen = 1000             // not acknowledged; more are lost
)

// pusher sends notifications, each in a goroutine of its own that ends when it is
// acknowledged, given up, or the server is closed.
type pusher struct {
	to     Push
	now    func() time.Time
	logf   func(string, ...any)
	faults *faults
	client *http.Client
	ctx    context.Context
	cancel context.CancelFunc
	lastID atomic.Int64 // of a message

	mu   sync.Mutex
	open int // owned by mu, as is the beginning of wg
	wg   sync.WaitGroup
}

func newPusher(to Push, now func() time.Time, logf func(string, ...any), fs *faults) *pusher {
	p := &pusher{to: to, now: now, logf: logf, faults: fs}
	p.client = &http.Client{
		Timeout:       pushDeadline,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.lastID.Store(now().UnixMicro())
	return p
}

func (p *pusher) close() {
	p.mu.Lock()
	p.cancel()
	p.mu.Unlock()
	p.wg.Wait()
}

func (p *pusher) send(n notice) {
	if p.to.URL == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil || p.open >= maxPushesOpen {
		return
	}
	p.open++
	p.wg.Go(func() {
		p.deliver(n)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.open--
	})
}

func (p *pusher) deliver(n notice) {
	f, faulty := p.faults.next(pushMethod, n.email, nil)
	times, text := 1, false
	if faulty {
		switch f.Kind {
		case FaultPushLost:
			p.logf("push lost on purpose")
			return
		case FaultPushLate:
			wait(p.ctx, time.Duration(f.DelayMS)*time.Millisecond)
		case FaultPushTwice:
			times = 2
		case FaultPushText:
			text = true
		}
	}
	body := n.message(strconv.FormatInt(p.lastID.Add(1), 10), p.now(), text)
	for range times {
		p.deliverBody(body)
	}
}

func (p *pusher) deliverBody(body []byte) {
	began := time.Now()
	for pause := pushRetryMin; p.ctx.Err() == nil && time.Since(began) < pushGiveUp; pause = min(2*pause, pushRetryMax) {
		status, err := p.post(body)
		if err == nil && slices.Contains([]int{102, 200, 201, 202, 204}, status) {
			p.logf("push %d", status)
			return
		}
		p.logf("push not acknowledged: %d", status)
		wait(p.ctx, pause)
	}
}

func (p *pusher) post(body []byte) (status int, err error) {
	r, err := http.NewRequestWithContext(p.ctx, http.MethodPost, p.to.URL, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)")
	if p.to.Sign != nil {
		audience := p.to.Audience
		if audience == "" {
			audience = p.to.URL
		}
		token, err := p.to.Sign(audience)
		if err != nil {
			return 0, err
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := p.client.Do(r)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// message is the body that Pub/Sub posts. Live notifications carry the history id as
// a number, Google's documentation shows a string: asText.
func (n notice) message(id string, now time.Time, asText bool) []byte {
	form := `{"emailAddress":%q,"historyId":%d}`
	if asText {
		form = `{"emailAddress":%q,"historyId":"%d"}`
	}
	type message struct {
		Data           string `json:"data"`
		MessageID      string `json:"messageId"`
		MessageIDAlso  string `json:"message_id"`
		PublishTime    string `json:"publishTime"`
		PublishTimeToo string `json:"publish_time"`
	}
	at := now.UTC().Format("2006-01-02T15:04:05.999Z")
	body, err := json.Marshal(struct {
		Message      message `json:"message"`
		Subscription string  `json:"subscription"`
	}{
		message{base64.StdEncoding.EncodeToString(fmt.Appendf(nil, form, n.email, n.historyID)), id, id, at, at},
		strings.Replace(n.topic, "/topics/", "/subscriptions/", 1),
	})
	if err != nil {
		panic(err) // strings always encode
	}
	return body
}
