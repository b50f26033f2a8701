// Package agreement keeps the way by which a member of staff comes to see a message: the owner's agreement to
// show these messages, to this person, for this reason, for so long (LU-HUM-1). There is no other way.
//
// A request goes through hands that cannot be the same:
//
//	requested   a member of staff asks, with a case and a reason        (or: offered by the owner, taken up by staff)
//	pending     another member of staff lets the owner be asked; the owner has twelve hours
//	active      the owner signed in anew over this very agreement; the time runs, at most four hours
//	ended       refused, declined, withdrawn, expired, revoked, lapsed, closed: for good
//
// [Store] keeps the rows and answers the policy's questions about them; [Desk] is where people ask and answer.
// What holds here:
//
//   - A row opens nothing. What an owner agreed to is proven by the ID token of a sign-in whose nonce is the
//     hash of the agreement ([policy.Agreement.Nonce]); the gate verifies it at every view.
//   - Messages are named one by one, at most ten; never a label, a thread or a search.
//   - Of answers that come at once exactly one counts: a row changes only from the version that was read. Who
//     comes second is told what became of it ([Answered]).
//   - Nothing is agreed to by waiting. A time that has passed counts at once, whether or not anybody has noted it.
//   - Every step is a lifecycle event, and a step that opens something works only once its event is durable.
//   - Once the log tells that an agreement was ended, it is over, whatever its row says.
//   - What staff and owners write, the names, the messages and the proof are sealed under the mailbox's key and
//     bound to their row. With the mailbox all of it is deleted.
//
// Cost: a step is a read, two small writes and one event; a fact for the gate is one query and two
// decryptions. Rows are a few kB and are kept for 400 days after their end.
package agreement
