package emulator

import (
	"slices"
	"strings"
)

func listSendAs(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) {
		return map[string][]sendAsResource{"sendAs": slices.Clone(s.SendAs)}, nil
	})
}

func getSendAs(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) {
		a := s.alias(c.path["sendAsEmail"])
		if a == nil {
			return nil, notFound()
		}
		return *a, nil
	})
}

// sendAsBody is a SendAs in a request; nil fields are absent.
type sendAsBody struct {
	SendAsEmail    string           `json:"sendAsEmail"`
	DisplayName    *string          `json:"displayName"`
	ReplyToAddress *string          `json:"replyToAddress"`
	Signature      *string          `json:"signature"`
	IsDefault      *bool            `json:"isDefault"`
	TreatAsAlias   *bool            `json:"treatAsAlias"`
	SMTP           *smtpMsaResource `json:"smtpMsa"`
}

// apply sets the fields that are present; with replace the others go back to nothing.
func (b sendAsBody) apply(s *settings, a *sendAsResource, replace bool) error {
	if b.ReplyToAddress != nil && *b.ReplyToAddress != "" && !plainAddress(*b.ReplyToAddress) {
		return badRequest("Invalid replyToAddress")
	}
	if b.SMTP != nil && (b.SMTP.Host == "" || b.SMTP.Port <= 0 || b.SMTP.Port > 65535) {
		return badRequest("Invalid smtpMsa")
	}
	if b.Signature != nil {
		clean := htmlPolicy.Sanitize(*b.Signature)
		b.Signature = &clean
	}
	for _, f := range []struct{ from, to *string }{
		{b.DisplayName, &a.DisplayName}, {b.ReplyToAddress, &a.ReplyToAddress}, {b.Signature, &a.Signature},
	} {
		switch {
		case f.from != nil:
			*f.to = *f.from
		case replace:
			*f.to = ""
		}
	}
	if !a.IsPrimary && (b.TreatAsAlias != nil || replace) {
		a.TreatAsAlias = b.TreatAsAlias != nil && *b.TreatAsAlias
	}
	if !a.IsPrimary && (b.SMTP != nil || replace) {
		a.SMTP = b.SMTP
	}
	if b.IsDefault != nil && *b.IsDefault {
		for i := range s.SendAs {
			s.SendAs[i].IsDefault = false
		}
		a.IsDefault = true
	}
	return nil
}

func createSendAs(c *call) (any, error) {
	var body sendAsBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if !plainAddress(body.SendAsEmail) {
		return nil, badRequest("Invalid sendAsEmail")
	}
	status := c.statusOf(body.SendAsEmail)
	out, err := c.changeSettings(func(s *settings) (any, error) {
		if s.alias(body.SendAsEmail) != nil {
			return nil, alreadyExists("Send-as alias already exists.")
		}
		s.SendAs = append(s.SendAs, sendAsResource{SendAsEmail: strings.ToLower(body.SendAsEmail), VerificationStatus: status})
		a := &s.SendAs[len(s.SendAs)-1]
		if err := body.apply(s, a, true); err != nil {
			s.SendAs = s.SendAs[:len(s.SendAs)-1]
			return nil, err
		}
		return *a, nil
	})
	if err == nil && status == pending {
		c.srv.askToVerify(c.box, body.SendAsEmail)
	}
	return out, err
}

func updateSendAs(c *call) (any, error) { return c.changeSendAs(true) }
func patchSendAs(c *call) (any, error)  { return c.changeSendAs(false) }

func (c *call) changeSendAs(replace bool) (any, error) {
	var body sendAsBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	return c.changeSettings(func(s *settings) (any, error) {
		a := s.alias(c.path["sendAsEmail"])
		if a == nil {
			return nil, notFound()
		}
		if err := body.apply(s, a, replace); err != nil {
			return nil, err
		}
		return *a, nil
	})
}

func deleteSendAs(c *call) (any, error) {
	return c.changeSettings(func(s *settings) (any, error) {
		a := s.alias(c.path["sendAsEmail"])
		switch {
		case a == nil:
			return nil, notFound()
		case a.IsPrimary:
			return nil, badRequest("Cannot delete the primary send-as alias")
		case a.IsDefault:
			s.SendAs[0].IsDefault = true // the primary comes first
		}
		delete(s.Smime, strings.ToLower(a.SendAsEmail))
		s.SendAs = slices.DeleteFunc(s.SendAs, func(o sendAsResource) bool { return o.SendAsEmail == a.SendAsEmail })
		return nil, nil
	})
}

// verifySendAs sends the verification mail again.
func verifySendAs(c *call) (any, error) {
	address := ""
	_, err := c.readSettings(func(s *settings) (any, error) {
		a := s.alias(c.path["sendAsEmail"])
		switch {
		case a == nil:
			return nil, notFound()
		case a.VerificationStatus != pending:
			return nil, failedPrecondition("The send-as alias needs no verification")
		}
		address = a.SendAsEmail
		return nil, nil
	})
	if err == nil {
		c.srv.askToVerify(c.box, address)
	}
	return nil, err
}
