package decisionlog

import (
	"errors"
	"fmt"
)

// Errors of a log that is in order.
var (
	ErrClosed   = errors.New("decisionlog: closed")
	ErrReadOnly = errors.New("decisionlog: opened read-only")
	ErrNoRecord = errors.New("decisionlog: no such record")
	ErrDropped  = errors.New("decisionlog: the record has been dropped by retention")

	// ErrUnknown is wrapped when a commit failed and the database could not be asked whether it landed: the
	// event may be in the log or not. It was not acknowledged, so nothing may be done on its strength.
	ErrUnknown = errors.New("decisionlog: unknown whether the events were written")
)

// The types below say what is wrong with a log that was changed by something other than this package. Each
// can come from [Open], [Log.Append] and [Log.Verify], and is found with errors.As.
type (
	// BadCheckpoint: a checkpoint is malformed, of another log, or not signed by the log's key. Kept tells
	// that it is the one the auditor kept.
	BadCheckpoint struct {
		Kept   bool
		Reason string
	}

	// BadHead: the head row is missing, or does not agree with its own signed checkpoint.
	BadHead struct{ Reason string }

	// RolledBack: the log is shorter than it is known to have been. Sizes in events.
	RolledBack struct{ Have, Known int64 }

	// Forked: the log's first Size events are not those of an earlier checkpoint of that size.
	Forked struct{ Size int64 }

	// TamperedLeaf: the body of this event is not what was signed. It is the first such event.
	TamperedLeaf struct{ Index int64 }

	// TamperedHash: a stored hash of the Merkle tree is wrong; Level 0 are the leaves' hashes. It is the first such hash.
	TamperedHash struct {
		Level int
		Index int64 // within the level
	}

	// TamperedTree: the stored tree does not have the signed root. When [Log.Verify] says so, every event agrees
	// with its hashes: they were rewritten together, by someone without the key.
	TamperedTree struct{ Size int64 }

	// TamperedIndex: a filter column of this event disagrees with its body. It is the first such event.
	TamperedIndex struct {
		Index  int64
		Column string // or "body" when the body cannot be read
	}

	// Gap: a row is missing from the table "events" or "hashes". It is the first one missing.
	Gap struct {
		Table string
		Index int64
	}

	// Surplus: a table holds rows beyond the signed size. Index is the last of them.
	Surplus struct {
		Table string
		Index int64
	}

	// UnannouncedDrop: events before KeptFrom are gone and no lifecycle event in the log says so.
	UnannouncedDrop struct{ KeptFrom int64 }
)

func (e *BadCheckpoint) Error() string {
	if e.Kept {
		return "decisionlog: the kept checkpoint is bad: " + e.Reason
	}
	return "decisionlog: the checkpoint is bad: " + e.Reason
}

func (e *BadHead) Error() string { return "decisionlog: the head row is bad: " + e.Reason }

func (e *RolledBack) Error() string {
	return fmt.Sprintf("decisionlog: rolled back: the log holds %d events and is known to have held %d", e.Have, e.Known)
}

func (e *Forked) Error() string {
	return fmt.Sprintf("decisionlog: forked: the first %d events are not those signed earlier", e.Size)
}

func (e *TamperedLeaf) Error() string {
	return fmt.Sprintf("decisionlog: the body of event %d was changed", e.Index)
}

func (e *TamperedHash) Error() string {
	return fmt.Sprintf("decisionlog: the stored hash %d of level %d was changed", e.Index, e.Level)
}

func (e *TamperedTree) Error() string {
	return fmt.Sprintf("decisionlog: the stored tree of %d events does not have the signed root", e.Size)
}

func (e *TamperedIndex) Error() string {
	return fmt.Sprintf("decisionlog: column %s of event %d does not agree with its body", e.Column, e.Index)
}

func (e *Gap) Error() string {
	return fmt.Sprintf("decisionlog: row %d of table %s is missing", e.Index, e.Table)
}

func (e *Surplus) Error() string {
	return fmt.Sprintf("decisionlog: table %s reaches to row %d, beyond the signed size", e.Table, e.Index)
}

func (e *UnannouncedDrop) Error() string {
	return fmt.Sprintf("decisionlog: the events before %d are gone and no event says that they were dropped", e.KeptFrom)
}
