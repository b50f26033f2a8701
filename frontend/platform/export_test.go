package platform

import "time"

// Verify checks the signature and the terms of an assertion and returns whose it is.
func Verify(callers *Callers, audience string, now func() time.Time, token string) (caller, mailbox string, err error) {
	a, err := verifier{callers, audience, now}.verify(token)
	return a.caller.ID, a.claims.Mailbox, err
}

// RecordedBurst is how many refused assertions are recorded at once.
const RecordedBurst = recordedBurst

// RecordedEvery is the time between events after that.
const RecordedEvery = recordedEvery
