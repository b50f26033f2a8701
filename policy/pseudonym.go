package policy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
)

// pseudonyms turns identifiers into 128-bit HMACs, so that neither the policy nor the log ever sees one.
// Ids of a mailbox are keyed by the account's own log key: deleting that key unlinks every event of the
// account from the person. Staff are keyed by the deployment's key, so that an auditor can follow one
// member of staff across accounts.
type pseudonyms struct {
	deployment []byte
	account    []byte // nil for accesses that concern no account
}

// minLogKey is the shortest key of an account, in bytes: an HMAC under an empty one is but a hash, which
// anybody can look up.
const minLogKey = 16

func (p pseudonyms) of(key []byte, kind, id string) string {
	if id == "" {
		return ""
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(kind))
	mac.Write([]byte{0})
	mac.Write([]byte(id))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// person returns the pseudonym of a human in the given capacity.
func (p pseudonyms) person(kind ActorKind, id PersonID) string {
	if kind == Owner && p.account != nil {
		return p.of(p.account, "person", string(id))
	}
	return p.of(p.deployment, "person", string(id))
}

func (p pseudonyms) mailbox(id AccountID) string { return p.of(p.account, "account", string(id)) }

// MailboxPseudonym is what an account is called in the log: for those who look up there what happened to a mailbox.
func MailboxPseudonym(logKey []byte, id AccountID) string {
	return pseudonyms{account: logKey}.mailbox(id)
}

func (p pseudonyms) ids(kind ResourceKind, ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = p.of(p.account, string(kind), id)
	}
	return out
}

// label keeps Gmail's system labels readable, for they say nothing about a person, and hides the others.
func (p pseudonyms) label(id string) string {
	if systemLabels[id] {
		return id
	}
	return p.of(p.account, "label", id)
}

// secret hides what has no identity of its own: canonical parameters and body digests.
func (p pseudonyms) secret(kind, value string) string {
	key := p.account
	if key == nil {
		key = p.deployment
	}
	return p.of(key, kind, value)
}

var systemLabels = map[string]bool{
	"CHAT": true, "SENT": true, "INBOX": true, "IMPORTANT": true, "TRASH": true, "DRAFT": true, "SPAM": true,
	"CATEGORY_FORUMS": true, "CATEGORY_UPDATES": true, "CATEGORY_PERSONAL": true, "CATEGORY_PROMOTIONS": true,
	"CATEGORY_SOCIAL": true, "STARRED": true, "UNREAD": true,
}
