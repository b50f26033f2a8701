package main

import (
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// clauseWords tells what clauses say: those of the registry, and those of refusals that no clause states.
func clauseWords() (map[string]string, error) {
	words := map[string]string{
		policy.ClauseIncomplete: "The access does not say all that it must.",
		policy.ClauseUnknown:    "The server does not know the mailbox or the instruction.",
		policy.ClauseEvaluation: "The policy gave no clear answer.",
		policy.ClauseDefault:    "Nothing allows it.",
	}
	clauses, err := limiteduse.ReadClauses()
	for _, c := range clauses {
		words[c.ID] = c.Says
		if !c.Adopted {
			words[c.ID] += " Not adopted: " + c.Why
		}
	}
	return words, err
}
