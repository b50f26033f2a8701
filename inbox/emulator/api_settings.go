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
	for _, a := range c.box.settings.sendAs {
		if strings.EqualFold(a.SendAsEmail, c.path["sendAsEmail"]) {
			return a, nil
		}
	}
	return nil, notFound()
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

// listFilters answers under the singular key "filter", absent when there are none.
func listFilters(c *call) (any, error) {
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	var out struct {
		Filter []filterResource `json:"filter,omitempty"`
	}
	out.Filter = append(out.Filter, c.box.settings.filters...)
	return out, nil
}

func getFilter(c *call) (any, error) {
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	for _, f := range c.box.settings.filters {
		if f.ID == c.path["id"] {
			return f, nil
		}
	}
	return nil, notFound()
}
