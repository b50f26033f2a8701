package signin

import (
	"net/http"
	"slices"

	"github.com/totalengage/webmail/policy/limiteduse"
)

// privacyPage is what privacy.html shows. The uses are the purposes of the policy itself, so that the page
// cannot promise less or other than what is decided (DISC-5).
type privacyPage struct {
	common
	Uses []string
}

func (s *pages) showPrivacy(w http.ResponseWriter, _ *http.Request) error {
	tables, err := limiteduse.ReadTables()
	if err != nil {
		return err
	}
	var uses []string
	for _, use := range tables.Purposes {
		uses = append(uses, use)
	}
	slices.Sort(uses)
	return s.render(w, http.StatusOK, "privacy.html", privacyPage{s.common("Privacy"), uses})
}

func (s *pages) showLimitedUse(w http.ResponseWriter, _ *http.Request) error {
	return s.render(w, http.StatusOK, "limited-use.html", s.common("Limited Use of Google data"))
}

func (s *pages) showHelp(w http.ResponseWriter, _ *http.Request) error {
	return s.render(w, http.StatusOK, "help.html", s.common("Manage and delete your data"))
}
