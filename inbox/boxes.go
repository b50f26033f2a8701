package inbox

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/hashicorp/golang-lru/v2/expirable"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

// Bounds of what is held in memory: in bytes, for the whole process (Config.Memory) and for one mailbox, and in
// time. A row's metadata is about 2 kB.
const (
	// DefaultMemory is what all mailboxes together may have, counted by weight: 256 MB.
	DefaultMemory = 256 << 20

	boxesHeld    = 20_000
	boxIdle      = 30 * time.Minute
	rowsHeld     = 2000
	openedHeld   = 200
	openedBytes  = 8 << 20
	listsHeld    = 64
	listStale    = time.Minute     // a listing is asked for again after this, whatever history says
	historyFresh = 2 * time.Second // history is not asked again within this
)

// boxes holds what is known of the mailboxes in use. What is in it may be handed out only under a grant
// that covers it, like an answer of Gmail's.
type boxes struct {
	held  *expirable.LRU[policy.AccountID, *box]
	most  int64        // bytes
	bytes atomic.Int64 // of the boxes held; when they are more than most, the box longest unused goes

	mu      sync.Mutex                               // makes get-or-add one step; guards what follows
	drops   uint64                                   // how many there were
	dropped *expirable.LRU[policy.AccountID, uint64] // the last drop of a mailbox
}

// dropsHeld is how many dropped mailboxes are remembered for dropKept, which is longer than any request lasts.
const (
	dropsHeld = 1 << 16
	dropKept  = time.Hour
)

func newBoxes(most int64) *boxes {
	return &boxes{
		held:    expirable.NewLRU(boxesHeld, func(_ policy.AccountID, b *box) { b.leave() }, boxIdle),
		most:    most,
		dropped: expirable.NewLRU[policy.AccountID, uint64](dropsHeld, nil, dropKept),
	}
}

// trim lets go of whole mailboxes, the longest unused first, until what is held is within its bound. The last one
// stays: its own bounds hold.
func (b *boxes) trim() {
	if b.bytes.Load() <= b.most {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.bytes.Load() > b.most && b.held.Len() > 1 {
		b.held.RemoveOldest()
	}
}

func (b *boxes) of(id policy.AccountID) *box {
	b.mu.Lock()
	defer b.mu.Unlock()
	if found, ok := b.held.Get(id); ok {
		b.held.Add(id, found) // in use: its time starts again
		return found
	}
	return newBox(b, id) // not held until something granted is put into it: an invented id evicts nobody
}

// keep holds a box, unless another one came first, or the mailbox was dropped while a request that has the box
// was under way: what it brings late ends with it.
func (b *boxes) keep(id policy.AccountID, box *box) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if last, ok := b.dropped.Get(id); ok && last > box.born {
		return
	}
	if !b.held.Contains(id) {
		b.held.Add(id, box)
		box.enter()
	}
}

func (b *boxes) drop(id policy.AccountID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drops++
	b.dropped.Add(id, b.drops)
	b.held.Remove(id)
}

// box is one mailbox in memory. Messages in it are never changed in place: a change of labels puts a copy. Whoever
// puts an answer of Gmail's into a box has taken the box before asking: see boxes.keep.
type box struct {
	live  liveHub
	hold  func() // puts the box among those held
	born  uint64 // how many drops there had been
	among *boxes

	mu       sync.Mutex // guards everything below; never held while asking Gmail
	history  uint64     // position up to which all below is right; 0 = nothing is known
	checked  time.Time  // when history was last asked
	lists    *lru.Cache[listKey, listing]
	rows     *lru.Cache[string, *gmail.Message] // metadata by message id
	opened   *lru.Cache[string, *gmail.Message] // full messages by id
	bytes    int64                              // of opened
	weight   int64                              // of everything
	counted  bool                               // in among.bytes
	threads  *lru.Cache[string, []string]       // message ids of opened conversations
	labels   []*gmail.Label                     // with counts; nil = to be asked
	draftIDs map[string]string                  // message id -> draft id; nil = to be asked
}

// listKey names one page of one listing.
type listKey struct{ label, search, page string }

// listing is one answer of messages.list.
type listing struct {
	refs     []ref // newest first
	next     string
	estimate int64
	at       time.Time
}

type ref struct{ message, thread string }

func (l listing) messages() []string {
	ids := make([]string, len(l.refs))
	for i, r := range l.refs {
		ids[i] = r.message
	}
	return ids
}

func newBox(among *boxes, id policy.AccountID) *box {
	b := &box{born: among.drops, among: among, live: liveHub{nudge: make(chan struct{}, 1)}}
	b.hold = sync.OnceFunc(func() { among.keep(id, b) })
	b.rows, _ = lru.NewWithEvict(rowsHeld, func(_ string, m *gmail.Message) { b.weigh(-weight(m)) }) // sizes are positive constants
	b.lists, _ = lru.NewWithEvict(listsHeld, func(_ listKey, l listing) { b.weigh(-l.weight()) })
	b.threads, _ = lru.New[string, []string](openedHeld)
	b.opened, _ = lru.NewWithEvict(openedHeld, func(_ string, m *gmail.Message) {
		b.bytes -= weight(m)
		b.weigh(-weight(m))
	})
	return b
}

// weigh counts what comes or goes. The caller holds mu.
func (b *box) weigh(change int64) {
	b.weight += change
	if b.counted {
		b.among.bytes.Add(change)
	}
}

// enter and leave count the box among those held, or no longer: who still has a box that was let go may put things
// into it, and they go with it.
func (b *box) enter() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.counted {
		b.counted = true
		b.among.bytes.Add(b.weight)
	}
}

func (b *box) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.counted {
		b.counted = false
		b.among.bytes.Add(-b.weight)
	}
}

// weight is about what a message takes in memory: its texts, and what holds them. It is the same for a message
// whose labels changed.
func weight(m *gmail.Message) int64 {
	return 512 + int64(len(m.Snippet)+len(m.Raw)) + partWeight(m.Payload, 0)
}

func partWeight(p *gmail.Part, depth int) int64 {
	if p == nil || depth > maxDepth {
		return 0
	}
	n := int64(256 + len(p.Filename))
	for _, h := range p.Headers {
		n += int64(64 + len(h.Name) + len(h.Value))
	}
	if p.Body != nil {
		n += int64(128 + len(p.Body.Data) + len(p.Body.AttachmentId))
	}
	for _, child := range p.Parts {
		n += partWeight(child, depth+1)
	}
	return n
}

func (l listing) weight() int64 { return 128 + 64*int64(len(l.refs)) }

// list returns a listing that is still right.
func (b *box) list(key listKey, now time.Time) (listing, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, ok := b.lists.Get(key)
	return l, ok && now.Sub(l.at) < listStale
}

func (b *box) putList(key listKey, l listing) {
	b.hold()
	defer b.among.trim()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lists.Remove(key)
	b.lists.Add(key, l)
	b.weigh(l.weight())
}

// startAt sets the history position of a mailbox of which nothing was known.
func (b *box) startAt(history uint64, now time.Time) {
	b.hold()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.history == 0 {
		b.history, b.checked = history, now
	}
}

func (b *box) position() (history uint64, checked time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.history, b.checked
}

// known splits message ids into those whose metadata is held and those to ask for.
func (b *box) known(ids []string) (rows map[string]*gmail.Message, missing []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rows = make(map[string]*gmail.Message, len(ids))
	for _, id := range ids {
		if m, ok := b.rows.Get(id); ok {
			rows[id] = m
		} else {
			missing = append(missing, id)
		}
	}
	return rows, missing
}

func (b *box) putRow(m *gmail.Message) {
	b.hold()
	defer b.among.trim()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows.Remove(m.Id)
	b.rows.Add(m.Id, m)
	b.weigh(weight(m))
}

// open keeps a conversation's messages.
func (b *box) open(thread string, messages []*gmail.Message) {
	b.hold()
	defer b.among.trim()
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := make([]string, len(messages))
	for i, m := range messages {
		ids[i] = m.Id
		b.keep(m)
	}
	if thread != "" {
		b.threads.Add(thread, ids)
	}
}

// keep adds an opened message within the bounds. The caller holds mu.
func (b *box) keep(m *gmail.Message) {
	w := weight(m)
	if w > openedBytes/4 {
		return
	}
	b.opened.Remove(m.Id)
	b.opened.Add(m.Id, m)
	b.bytes += w
	b.weigh(w)
	for b.bytes > openedBytes {
		if _, _, ok := b.opened.RemoveOldest(); !ok {
			break
		}
	}
}

// conversation returns an opened conversation that is wholly held.
func (b *box) conversation(thread string) ([]*gmail.Message, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids, ok := b.threads.Get(thread)
	if !ok {
		return nil, false
	}
	messages := make([]*gmail.Message, len(ids))
	for i, id := range ids {
		if messages[i], ok = b.opened.Get(id); !ok {
			return nil, false
		}
	}
	return messages, true
}

func (b *box) message(id string) (*gmail.Message, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opened.Get(id)
}

// relabel changes labels of everything held for which pick holds, and forgets listings and counts.
func (b *box) relabel(pick func(*gmail.Message) bool, change func(labels []string) []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, cache := range []*lru.Cache[string, *gmail.Message]{b.rows, b.opened} {
		for _, id := range cache.Keys() {
			m, ok := cache.Peek(id)
			if !ok || !pick(m) {
				continue
			}
			copied := *m
			copied.LabelIds = change(slices.Clone(m.LabelIds))
			cache.Add(id, &copied) // same size: the count of bytes stays right
		}
	}
	b.outdated()
}

// outdated forgets what any change makes wrong: listings and counts. The caller holds mu.
func (b *box) outdated() {
	b.lists.Purge()
	b.labels = nil
	b.draftIDs = nil
}

// forgetMessages removes messages that are gone or whose content changed, as drafts do.
func (b *box) forgetMessages(ids ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		b.rows.Remove(id)
		b.opened.Remove(id)
	}
	b.outdated()
}

// forgetThread removes an opened conversation, so that it is asked for again.
func (b *box) forgetThread(ids ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		b.threads.Remove(id)
	}
}

// changed forgets listings and counts after a change of our own.
func (b *box) changed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.outdated()
}

// reset forgets everything: history was too old.
func (b *box) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.history = 0
	b.rows.Purge()
	b.opened.Purge()
	b.threads.Purge()
	b.outdated()
}

func (b *box) heldLabels() []*gmail.Label {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.labels
}

func (b *box) putLabels(labels []*gmail.Label) {
	b.hold()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.labels = labels
}

func (b *box) heldDrafts() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.draftIDs
}

func (b *box) putDrafts(ids map[string]string) {
	b.hold()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.draftIDs = ids
}
