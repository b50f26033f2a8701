package gmail

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"google.golang.org/api/googleapi"
)

// Kind says what a caller can do about an error of Gmail's.
type Kind int

// The kinds of error, by GMAIL.md 2.3 and 2.4.
const (
	Upstream    Kind = iota // Gmail failed or cannot be reached; outcome unknown for a change
	NotFound                // the resource is gone, or the history id is too old
	Invalid                 // Gmail refuses the request as it is; repeating it is useless
	RateLimited             // too much at once; RetryAt says when to come back
	Forbidden               // scope, domain policy or another mailbox
	TooLarge                // the message is larger than Gmail takes
)

// Error is an error of Gmail's without Gmail's text, which can hold addresses.
type Error struct {
	Kind    Kind
	Status  int    // HTTP status, 0 when there was no answer
	Reason  string // Gmail's reason, from its closed set, or ""
	RetryAt time.Time

	Crowded   bool  // too many requests at the same time, not too many a minute
	Transient bool  // a refusal that may be gone at the second try
	Err       error // the cause where there was no answer
}

func (e *Error) Error() string {
	if e.Status == 0 {
		return "gmail: no answer"
	}
	return fmt.Sprintf("gmail: status %d %s", e.Status, e.Reason)
}

func (e *Error) Unwrap() error { return e.Err }

// Unanswered says that it is unknown what became of the request. Policy records such a change as unknown.
func (e *Error) Unanswered() bool { return e.Kind == Upstream }

// IsNotFound says whether Gmail answered that the resource does not exist.
func IsNotFound(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == NotFound
}

// Unanswered says whether it is unknown what became of a request.
func Unanswered(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == Upstream
}

// ours marks an error of the gate or the token vault on its way through net/http and Google's client.
type ours struct{ error }

func (o ours) Unwrap() error { return o.error }

// translate turns what Google's client returns into *Error, and leaves the errors of the gate and the vault
// and the caller's own cancellation alone. Texts of anything else (decoders, redirects) can quote Gmail's
// answer and are dropped.
func translate(err error) error {
	var own ours
	var known *Error
	var api *googleapi.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return own.error
	case errors.As(err, &known), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &api):
		reason := ""
		if len(api.Errors) > 0 {
			reason = api.Errors[0].Reason
		}
		return answered(api.Code, reason, api.Message, api.Header, time.Now())
	}
	return &Error{Kind: Upstream, Err: errors.New("an answer that cannot be read")}
}

// answered classifies an HTTP answer. message is read for the time to retry at, and not kept.
func answered(status int, reason, message string, header http.Header, now time.Time) *Error {
	e := &Error{Status: status, Reason: knownReason(reason)}
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusForbidden && (reason == "rateLimitExceeded" || reason == "userRateLimitExceeded"):
		e.Kind, e.RetryAt = RateLimited, retryAt(message, header, now)
	case status == http.StatusNotFound, status == http.StatusGone:
		e.Kind = NotFound
	case status == http.StatusRequestEntityTooLarge:
		e.Kind = TooLarge
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		e.Kind = Forbidden
	case status >= 500:
		e.Kind, e.RetryAt = Upstream, retryAt(message, header, now)
	default:
		e.Kind = Invalid
		e.Transient = status == http.StatusBadRequest && reason == "failedPrecondition" && strings.HasPrefix(message, "Precondition check failed")
	}
	e.Crowded = e.Kind == RateLimited && strings.Contains(message, "concurrent")
	return e
}

// retryText is how Gmail's throttle names the time: in the text, not in a header (GMAIL.md 2.4).
var retryText = regexp.MustCompile(`(?i)retry after (\d{4}-\d{2}-\d{2}T[0-9:.]+(?:Z|[+-]\d{2}:\d{2}))`)

func retryAt(message string, header http.Header, now time.Time) time.Time {
	if m := retryText.FindStringSubmatch(message); m != nil {
		if t, err := time.Parse(time.RFC3339, m[1]); err == nil {
			return t
		}
	}
	if s := header.Get("Retry-After"); s != "" {
		if d, err := time.ParseDuration(s + "s"); err == nil {
			return now.Add(d)
		}
		if t, err := http.ParseTime(s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// knownReason lets through only the reasons of Gmail's table, so that no free text reaches a log.
func knownReason(reason string) string {
	const known = " required authError insufficientPermissions forbidden domainPolicy dailyLimitExceeded rateLimitExceeded userRateLimitExceeded " +
		"notFound invalidArgument badRequest invalid invalidParameter aborted duplicate alreadyExists failedPrecondition backendError conditionNotMet "
	if reason != "" && strings.Contains(known, " "+reason+" ") {
		return reason
	}
	return ""
}
