// Package policy answers one question for the whole product: may this access to Gmail data happen?
//
// A caller describes the access as a value ([Access]: who, whose mailbox, which Gmail operation on which
// resource, for which purpose and feature). [Gate.Authorize] completes it with facts from the server's own
// stores, replaces every identifier by a pseudonym, evaluates the Limited Use rules in Open Policy Agent,
// makes the decision durable in the tamper-evident log, and only then returns a [Grant]. Everything that
// touches Gmail data takes a *Grant and asks the gate, through [Gate.Use], whether the grant covers what is
// really about to happen.
//
// What holds here:
//
//   - Only a Gate makes a Grant, and only NewGate makes a Gate, over the real engine and a real log (I1).
//   - The decision is durable before Authorize returns (I2). Whatever goes wrong on the way is a refusal (I3).
//   - Nothing an event holds can name a person, an address or a message: identifiers are HMACs under a key
//     that belongs to the account and is deleted with it (I5).
//   - The engine has no clock, network or randomness, so a logged input always replays to the same answer (I7).
//
// The package knows nothing of HTTP and nothing of Gmail beyond the names of its operations.
//
// The rules and tables can be replaced while the program runs, by a signed bundle ([Gate.Follow]) that proves to be
// no looser than those that the program is built with. The floor, which is the promise itself, cannot.
//
// Cost: some 160 allocations and 30 µs of CPU for the decision (BenchmarkDecide), hardly more for fifty ids than for
// one, and one append to the log, which costs more (BenchmarkAuthorize). Compiling a policy takes a tenth of a
// second and 3 MB (BenchmarkCompile).
package policy
