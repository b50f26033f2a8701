package main

import (
	"cmp"

	"github.com/totalengage/webmail/policy"
)

// inWords is a clause as `simulate` tells it to people.
func inWords(clause string) string { return cmp.Or(clauseWords[clause], clause) }

var clauseWords = map[string]string{
	"LU-USE-1":       "mail is used only for a feature of the inbox, for what that feature needs",
	"LU-USE-2":       "what is derived from mail is treated like mail",
	"LU-XFER-1":      "nobody else gets it without the owner's consent naming them",
	"LU-XFER-2":      "no transfer for security; the company adopted a stricter promise",
	"LU-XFER-3":      "no transfer to authorities; the company adopted a stricter promise",
	"LU-XFER-4":      "no transfer to an acquirer; the company adopted a stricter promise",
	"LU-XFER-5":      "never to advertisers, data brokers or resellers of information",
	"LU-PROH-ADS":    "never for advertising or marketing",
	"LU-PROH-CREDIT": "never to judge credit or for lending",
	"LU-PROH-AI":     "never to train a model",
	"LU-PROH-SURV":   "never to watch people",
	"LU-PROH-DB":     "no databases and no bulk copies",
	"LU-HUM-1":       "nobody but the owner sees a message without the owner's agreement to that message",
	"LU-HUM-2":       "staff see only aggregated and anonymized numbers",
	"LU-HUM-3":       "security opens no message; the company adopted a stricter promise",
	"LU-HUM-4":       "law opens no message; the company adopted a stricter promise",
	"LU-HUM-5":       "staff acknowledge these rules every year",
	"LU-HUM-6":       "the log, which holds no mail, is for auditors, reviewers and, of their own mailbox, owners",
	"MIN-1":          "no more is asked for than a feature needs",
	"MIN-2":          "the owner granted a scope that suffices",
	"DISC-2":         "the owner agreed before anything was read",
	"CHG-1":          "a new use waits for the owner's agreement to the text that tells of it",
	"CHG-2":          "a new use starts thirty days after it was announced",
	"DEL-1":          "nothing is read of a mailbox that was disconnected",
	"PRV-ACC":        "owners may see what is recorded and stored about them",
	"PRV-PORT":       "owners may take what is stored about them",

	policy.ClauseIncomplete: "the access does not say all that it must",
	policy.ClauseUnknown:    "the server does not know the mailbox or the instruction",
	policy.ClauseEvaluation: "the policy gave no clear answer",
	policy.ClauseDefault:    "nothing allows it",
}
