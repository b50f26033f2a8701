package oauth

import "github.com/totalengage/webmail/policy"

// Remembers tells whether an access token of the mailbox is in memory.
func (v *Vault) Remembers(account policy.AccountID) bool { return v.tokens.Contains(account) }
