package emulator

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// deliver brings a sent message to its recipients: into the mailboxes of this
// server, and for every other address a bounce back to the sender. Each mailbox
// is locked by itself, after the sender's lock was released.
func (s *Server) deliver(sender *mailbox, out *outgoing) {
	done := map[*mailbox]bool{}
	for _, address := range out.recipients {
		b := s.reached(address)
		switch {
		case b == nil:
			s.bounce(sender, out, address)
		case !done[b]:
			done[b] = true
			s.deliverTo(b, out, address)
		}
	}
}

// reached is the mailbox that gets an address's mail; nil when there is none.
func (s *Server) reached(address string) *mailbox {
	if b := s.mailbox(canonicalAddress(address)); b != nil {
		return b
	}
	return s.mailboxByAlias(address)
}

func (s *Server) mailboxByAlias(address string) *mailbox {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, b := range s.users {
		b.mu.RLock()
		mine := b.settings.verifiedAlias(address)
		b.mu.RUnlock()
		if mine {
			return b
		}
	}
	return nil
}

func (s *Server) deliverTo(b *mailbox, out *outgoing, address string) {
	now := s.now()
	stamp := now.UTC().Format(time.RFC1123Z)
	domain := out.from[strings.LastIndexByte(out.from, '@')+1:]
	head := fmt.Sprintf("Delivered-To: %s\r\n"+
		"Received: by 2002:a05:6000:1 with SMTP id e1; %s\r\n"+
		"Return-Path: <%s>\r\n"+
		"Received: from mail-sor-f41.google.com (mail-sor-f41.google.com. [209.85.220.41])\r\n"+
		"        by mx.google.com with SMTPS id e1; %s\r\n"+
		"Received-SPF: pass (google.com: domain of %s designates 209.85.220.41 as permitted sender) client-ip=209.85.220.41;\r\n"+
		"Authentication-Results: mx.google.com; dkim=pass header.i=@%s; spf=pass smtp.mailfrom=%s; dmarc=pass header.from=%s\r\n",
		address, stamp, out.from, stamp, out.from, domain, out.from, domain)
	s.receive(b, append([]byte(head), out.body...), now, out.from)
}

// receive puts a message that came from outside into the inbox; its thread is found
// by its headers alone, and its owner's filters, forwarding and vacation reply have
// their say. from is the envelope's sender, "" for mail that must not be answered.
func (s *Server) receive(b *mailbox, raw []byte, now time.Time, from string) {
	content, err := newMail(raw)
	if err != nil {
		return // a message that could be sent can be received: only the size grew past the limit
	}
	b.mu.Lock()
	f := b.fateLocked(content, now)
	b.storeLocked(newMessage{content: content, date: now, threadID: b.threadByHeadersLocked(content), labels: f.labels})
	reply := b.vacationReplyLocked(content, from, f.labels, now)
	b.unlock()
	for _, address := range f.forward {
		s.forward(b, raw, address)
	}
	if reply != nil {
		s.relay(b, reply, from)
	}
}

// forward passes a message on, unless it came through this mailbox before.
func (s *Server) forward(b *mailbox, raw []byte, address string) {
	mark := "X-Forwarded-For: " + b.email + " "
	if bytes.Contains(raw, []byte("\n"+mark)) || bytes.HasPrefix(raw, []byte(mark)) {
		return
	}
	s.relay(b, append([]byte(mark+address+"\r\nX-Forwarded-To: "+address+"\r\n"), raw...), address)
}

// relay delivers to one address what no person sent: it is in nobody's Sent, and what
// cannot be delivered is forgotten.
func (s *Server) relay(b *mailbox, raw []byte, address string) {
	if to := s.reached(address); to != nil {
		s.deliverTo(to, &outgoing{from: b.email, body: raw}, address)
	}
}

// bounce tells the sender that an address does not exist, in the form of Gmail's
// delivery status notification (RFC 3464).
func (s *Server) bounce(sender *mailbox, out *outgoing, address string) {
	now := s.now()
	boundary := "bounce-" + out.messageID[2:22]
	raw := fmt.Sprintf("Delivered-To: %[1]s\r\n"+
		"Return-Path: <>\r\n"+
		"From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\r\n"+
		"To: %[1]s\r\n"+
		"Auto-Submitted: auto-replied\r\n"+
		"Subject: Delivery Status Notification (Failure)\r\n"+
		"References: <%[2]s>\r\nIn-Reply-To: <%[2]s>\r\n"+
		"X-Failed-Recipients: %[3]s\r\n"+
		"Message-ID: <%[4]s>\r\n"+
		"Date: %[5]s\r\n"+
		"MIME-Version: 1.0\r\n"+
		"Content-Type: multipart/report; boundary=\"%[6]s\"; report-type=delivery-status\r\n\r\n"+
		"--%[6]s\r\nContent-Type: text/plain; charset=\"UTF-8\"\r\n\r\n"+
		"** Address not found **\r\n\r\nYour message wasn't delivered to %[3]s because the address couldn't be found, or is unable to receive mail.\r\n\r\n"+
		"The response was:\r\n\r\n550 5.1.1 The email account that you tried to reach does not exist.\r\n"+
		"--%[6]s\r\nContent-Type: message/delivery-status\r\n\r\n"+
		"Reporting-MTA: dns; googlemail.com\r\nArrival-Date: %[5]s\r\n\r\n"+
		"Final-Recipient: rfc822; %[3]s\r\nAction: failed\r\nStatus: 5.1.1\r\n"+
		"Diagnostic-Code: smtp; 550 5.1.1 The email account that you tried to reach does not exist.\r\n"+
		"--%[6]s--\r\n",
		sender.email, out.messageID, address, newMessageID(), now.Format(time.RFC1123Z), boundary)
	s.receive(sender, []byte(raw), now, "")
}
