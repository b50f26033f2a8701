package emulator

import (
	"slices"
	"strconv"

	"golang.org/x/text/language"
)

func getVacation(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) { return s.Vacation, nil })
}

// updateVacation replaces the vacation reply. Whoever had the old one gets the new one too.
func updateVacation(c *call) (any, error) {
	var v vacationResource
	if err := c.decode(&v); err != nil {
		return nil, err
	}
	start, _ := strconv.ParseInt(v.StartTime, 10, 64) // the schema was checked
	end, _ := strconv.ParseInt(v.EndTime, 10, 64)
	switch {
	case v.EnableAutoReply && v.ResponseSubject == "" && v.ResponseBodyPlainText == "" && v.ResponseBodyHTML == "":
		return nil, badRequest("Either the response subject or the response body must be nonempty to enable auto-replies")
	case start > 0 && end > 0 && start >= end:
		return nil, badRequest("startTime must precede endTime")
	}
	v.ResponseBodyHTML = htmlPolicy.Sanitize(v.ResponseBodyHTML)
	return c.changeSettings(func(s *settings) (any, error) {
		s.Vacation, s.Answered = v, nil
		return v, nil
	})
}

func getLanguage(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) { return languageResource{s.Language}, nil })
}

func updateLanguage(c *call) (any, error) {
	var l languageResource
	if err := c.decode(&l); err != nil {
		return nil, err
	}
	if _, err := language.Parse(l.DisplayLanguage); err != nil {
		return nil, badRequest("Invalid display language")
	}
	return c.changeSettings(func(s *settings) (any, error) {
		s.Language = l.DisplayLanguage
		return l, nil
	})
}

func getImap(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) { return s.Imap, nil })
}

func updateImap(c *call) (any, error) {
	var i imapResource
	if err := c.decode(&i); err != nil {
		return nil, err
	}
	if !slices.Contains([]int{0, 1000, 2000, 5000, 10000}, i.MaxFolderSize) {
		return nil, badRequest("Invalid maxFolderSize")
	}
	return c.changeSettings(func(s *settings) (any, error) {
		s.Imap = i
		return i, nil
	})
}

func getPop(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) { return s.Pop, nil })
}

func updatePop(c *call) (any, error) {
	var p popResource
	if err := c.decode(&p); err != nil {
		return nil, err
	}
	return c.changeSettings(func(s *settings) (any, error) {
		s.Pop = p
		return p, nil
	})
}

func getAutoForwarding(c *call) (any, error) {
	return c.readSettings(func(s *settings) (any, error) { return s.AutoForwarding, nil })
}

func updateAutoForwarding(c *call) (any, error) {
	var f autoForwardingResource
	if err := c.decode(&f); err != nil {
		return nil, err
	}
	return c.changeSettings(func(s *settings) (any, error) {
		switch {
		case f.Enabled && !s.mayForwardTo(f.EmailAddress):
			return nil, badRequest("Unrecognized forwarding address")
		case f.Enabled && (f.Disposition == "" || f.Disposition == "dispositionUnspecified"):
			return nil, badRequest("Invalid disposition")
		}
		s.AutoForwarding = f
		return f, nil
	})
}
