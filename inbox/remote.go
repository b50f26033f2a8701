package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
)

// EventPermitted is the lifecycle event of an owner who allows something to leave: feature, for.
const EventPermitted = "permission.given"

// How long the owner's word stands: for one message as long as it may stay open, for a sender until looked at
// again.
const (
	imagesOnce   = time.Hour
	imagesSender = 365 * 24 * time.Hour
)

const (
	remoteFeature   policy.Feature = "remote_images"
	remoteRecipient string         = "remote_host"
	senderKind      string         = "sender" // of the resource that stands for a sender's address
)

// Errors of what leads outside.
var (
	ErrUnproven = errors.New("the sender of this message is not proven")
	ErrOutside  = errors.New("the other side does not answer as it should")
)

// ImageConsent says on whose word a message's remote images may be loaded.
type ImageConsent struct {
	Permission string // id of the permission that holds, "" when none does
	Subject    string // what it was given for: the message, or its sender
	Sender     bool   // it was given for the sender
	Provable   bool   // the sender is proven, so that it can be given for the sender
}

// ImageConsent finds the permission for the remote images of a body that was read. That of a sender counts
// only for a message that is provably the sender's, and never for spam: otherwise anybody could load images
// in a trusted sender's name.
func (s *Service) ImageConsent(ctx context.Context, v Visit, b Body) (ImageConsent, error) {
	c := ImageConsent{Provable: b.proven && !b.spam}
	if s.permissions == nil {
		return c, nil
	}
	found, err := s.permissions.Find(ctx, v.Account, remoteFeature, remoteRecipient, b.message)
	if errors.Is(err, policy.ErrUnknown) && c.Provable {
		var resource string
		if resource, err = s.permissions.Named(ctx, v.Account, senderKind, b.sender); err != nil {
			return c, err
		}
		found, err = s.permissions.Find(ctx, v.Account, remoteFeature, remoteRecipient, resource)
		c.Sender = err == nil
	}
	if errors.Is(err, policy.ErrUnknown) {
		return c, nil
	}
	c.Permission, c.Subject = found.ID, found.Resource
	return c, err
}

// PermitImages records that the owner wants the remote images of a message, or, with sender, those of
// everything that provably comes from its sender. It fails with ErrUnproven where nobody knows who that is.
func (s *Service) PermitImages(ctx context.Context, v Visit, messageID string, sender bool) error {
	m, err := s.message(ctx, v, messageID)
	if err != nil {
		return err
	}
	b := bodyOf(m)
	p := consent.Permission{
		Account: v.Account, Feature: remoteFeature, Recipient: remoteRecipient, Resource: messageID, Shown: b.sender, Expires: s.now().Add(imagesOnce),
	}
	what := "message"
	if sender {
		if !b.proven || b.spam {
			return ErrUnproven
		}
		if p.Resource, err = s.permissions.Named(ctx, v.Account, senderKind, b.sender); err != nil {
			return err
		}
		p.Expires, what = s.now().Add(imagesSender), senderKind
	}
	if _, err = s.permit(ctx, v, p, what); err != nil || !sender {
		return err
	}
	// The wider word takes the place of the narrower: taking it back must not leave the other one standing.
	once, err := s.permissions.Find(ctx, v.Account, remoteFeature, remoteRecipient, messageID)
	if errors.Is(err, policy.ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.permissions.Withdraw(ctx, v.Account, once.ID)
}

// permit records a permission in the log, and then where decisions look for it.
func (s *Service) permit(ctx context.Context, v Visit, p consent.Permission, what string) (id string, err error) {
	if s.permissions == nil {
		return "", policy.ErrUnknown
	}
	err = s.gate.Record(ctx, policy.Lifecycle{
		Event: EventPermitted, Actor: v.Actor, Account: v.Account, Details: map[string]string{"feature": string(p.Feature), "recipient": p.Recipient, "for": what},
	})
	if err != nil {
		return "", err
	}
	return s.permissions.Permit(ctx, p)
}

// maxImage bounds an image in bytes, whatever the way out allows.
const maxImage = 8 << 20

// RemoteImage fetches an image that a message names, under the owner's permission: one decision for each
// image, for each is a transfer of its own to a host of its own, and a permission that is withdrawn or has
// expired must count at the next one. It costs a request to that host; nothing is kept. The content is
// whatever the host sent: the caller looks at it before anybody shows it.
func (s *Service) RemoteImage(ctx context.Context, v Visit, messageID, address string, c ImageConsent) ([]byte, error) {
	at, err := url.Parse(address)
	if err != nil {
		return nil, ErrNotFound
	}
	target := policy.Target{
		Operation: "remote.get", Resource: policy.IDs(policy.Messages, messageID), Classes: []policy.DataClass{policy.Derived}, Params: at.String(),
	}
	grant, err := s.transfer(ctx, v, target, remoteRecipient, c.Permission, c.Subject)
	if err != nil {
		return nil, err
	}
	if err := s.gate.Use(ctx, grant, target); err != nil {
		grant.Finish(err, 0, 0)
		return nil, err
	}
	content, err := s.load(ctx, target.Params)
	grant.Finish(err, 1, int64(len(content)))
	return content, err
}

// transfer asks the gate to let something leave, on the owner's permission for just that.
func (s *Service) transfer(ctx context.Context, v Visit, target policy.Target, recipient, permission, subject string) (*policy.Grant, error) {
	return s.gate.Authorize(ctx, policy.Access{
		Actor: v.Actor, Account: v.Account, Target: target, Purpose: v.Purpose, Feature: v.Feature,
		Recipient: recipient, Instruction: permission, Subject: subject,
	})
}

// load fetches over the way out to public hosts. Its errors say nothing of where to.
func (s *Service) load(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, ErrOutside
	}
	req.Header.Set("Accept", "image/avif,image/webp,image/png,image/jpeg,image/gif;q=0.9,*/*;q=0.1")
	res, err := s.outside.Do(req)
	if err != nil {
		return nil, outsideError(ctx)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w (status %d)", ErrOutside, res.StatusCode)
	}
	content, err := io.ReadAll(io.LimitReader(res.Body, maxImage+1))
	if err != nil || len(content) > maxImage {
		return nil, outsideError(ctx)
	}
	return content, nil
}

// noWayOut is the transport of a service that was given none.
type noWayOut struct{}

func (noWayOut) RoundTrip(*http.Request) (*http.Response, error) { return nil, ErrOutside }

// outsideError is a request's failure without its URL, or the end of the caller's own patience.
func outsideError(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return ErrOutside
}

// provenance fills in what a body tells about its sender.
func (b *Body) provenance(m *gmail.Message) {
	b.message, b.spam = m.Id, slices.Contains(m.LabelIds, "SPAM")
	b.sender, b.proven = senderOf(m.Payload)
}
