package emulator

import "strings"

func listSendAs(c *call) (any, error) {
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	return map[string][]sendAsResource{"sendAs": append([]sendAsResource(nil), c.box.settings.sendAs...)}, nil
}

func getSendAs(c *call) (any, error) {
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	a, err := c.sendAsLocked()
	if err != nil {
		return nil, err
	}
	return *a, nil
}

func (c *call) sendAsLocked() (*sendAsResource, error) {
	for i := range c.box.settings.sendAs {
		if a := &c.box.settings.sendAs[i]; strings.EqualFold(a.SendAsEmail, c.path["sendAsEmail"]) {
			return a, nil
		}
	}
	return nil, notFound()
}

func updateSendAs(c *call) (any, error) { return c.changeSendAs(true) }
func patchSendAs(c *call) (any, error)  { return c.changeSendAs(false) }

// changeSendAs sets what a user may change of an address: name, reply address and
// signature. Gmail also sanitizes the signature's HTML; here it is kept as given.
func (c *call) changeSendAs(replace bool) (any, error) {
	var body struct {
		DisplayName    *string `json:"displayName"`
		ReplyToAddress *string `json:"replyToAddress"`
		Signature      *string `json:"signature"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	a, err := c.sendAsLocked()
	if err != nil {
		return nil, err
	}
	for _, f := range []struct{ from, to *string }{
		{body.DisplayName, &a.DisplayName}, {body.ReplyToAddress, &a.ReplyToAddress}, {body.Signature, &a.Signature},
	} {
		switch {
		case f.from != nil:
			*f.to = *f.from
		case replace:
			*f.to = ""
		}
	}
	return *a, nil
}

func getVacation(c *call) (any, error) {
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	return c.box.settings.vacation, nil
}

func getLanguage(c *call) (any, error) {
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	return map[string]string{"displayLanguage": c.box.settings.language}, nil
}

func updateLanguage(c *call) (any, error) {
	var body struct {
		DisplayLanguage string `json:"displayLanguage"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if body.DisplayLanguage == "" {
		return nil, badRequest("Invalid display language")
	}
	c.box.mu.Lock()
	defer c.box.mu.Unlock()
	c.box.settings.language = body.DisplayLanguage
	return body, nil
}
