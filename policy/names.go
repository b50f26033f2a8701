package policy

import "context"

// Names are the pseudonyms under which a mailbox's things stand in the log. Whoever has a name and the id can
// see that they belong together; a name alone leads nowhere.
type Names struct{ p pseudonyms }

// Names returns the pseudonyms of the grant's mailbox, to find in the log what the grant lets its holder read.
func (g *Grant) Names() Names { return Names{g.pseudonyms} }

// Account is the mailbox's name.
func (n Names) Account(id AccountID) string { return n.p.mailbox(id) }

// Resource is the name of one thing in the mailbox.
func (n Names) Resource(kind ResourceKind, id string) string {
	return n.p.of(n.p.account, string(kind), id)
}

// Agreement is the name of an agreement about the mailbox.
func (n Names) Agreement(id string) string { return n.p.secret("agreement", id) }

// Person is the name of a human in the given capacity.
func (n Names) Person(kind ActorKind, id PersonID) string { return n.p.person(kind, id) }

// Names returns the pseudonyms of a mailbox's things, for whoever records or looks up lifecycle events about them.
// It fails with ErrUnknown for a mailbox that is gone.
func (g *Gate) Names(ctx context.Context, account AccountID) (Names, error) {
	facts, err := g.facts.Account(ctx, account)
	if err != nil {
		return Names{}, err
	}
	return Names{pseudonyms{deployment: g.key, account: facts.LogKey}}, nil
}
