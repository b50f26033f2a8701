package emulator

// unlock ends a change of the mailbox: what changed goes to the journal, the lock is
// released, and whoever watches the mailbox hears of it. Changes made under one lock
// are one line of the journal: kept together or not at all.
func (b *mailbox) unlock() {
	for _, l := range b.labels.changed {
		if b.labels.byID[l.id] == l {
			b.note(entry{Label: &storedLabel{l.id, l.name, l.messageList, l.labelList, l.color}})
		} else {
			b.note(entry{LabelGone: l.id})
		}
	}
	if b.settingsChanged {
		b.note(entry{Settings: &b.settings})
	}
	if len(b.entries) > 0 {
		b.journal.append(b.email, b.entries)
	}
	b.entries, b.labels.changed, b.settingsChanged = nil, nil, false
	notices := b.noticesLocked()
	b.mu.Unlock()
	for _, n := range notices {
		b.pusher.send(n)
	}
}

// note remembers a change for the journal. What it points at may change until the
// lock is released.
func (b *mailbox) note(e entry) {
	if b.journal != nil {
		b.entries = append(b.entries, e)
	}
}

// recordLocked writes a change into the history and returns its id.
func (b *mailbox) recordLocked(r historyRecord) uint64 {
	id := b.history.add(b.now(), r)
	if b.journal != nil {
		r = b.history.records[len(b.history.records)-1]
		b.note(entry{Record: &r})
	}
	return id
}
