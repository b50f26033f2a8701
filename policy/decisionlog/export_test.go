package decisionlog

// SetFault makes do decide, before and after each step of a write, whether it fails. It must be called while
// nothing is being appended.
func (l *Log) SetFault(do func(step string, after bool) error) { l.fault = do }

// Queued returns how many callers wait for the committer.
func (l *Log) Queued() int { return len(l.queue) }

// TilePath names a tile's file.
var TilePath = tilePath
