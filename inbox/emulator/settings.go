package emulator

import "strings"

// settings are a user's records outside the mail. Owned by the mailbox's lock.
type settings struct {
	sendAs   []sendAsResource
	vacation vacationResource
	language string
	filters  []filterResource
}

func newSettings(email string) settings {
	return settings{
		sendAs:   []sendAsResource{{SendAsEmail: email, IsPrimary: true, IsDefault: true}},
		language: "en",
	}
}

// verifiedAlias reports whether mail may be sent from an address other than the account's.
func (s *settings) verifiedAlias(address string) bool {
	for _, a := range s.sendAs {
		if strings.EqualFold(a.SendAsEmail, address) && (a.IsPrimary || a.VerificationStatus == "accepted") {
			return true
		}
	}
	return false
}
