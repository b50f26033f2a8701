// Package aggregate makes the only numbers about the use of Gmail data that humans may see (clause LU-HUM-2):
// aggregated, anonymized, once a month.
//
// # How it works
//
// What is counted is persons, never messages: how many owners used the client on so many days, used a feature,
// met a difficulty. The input is the decision log's own columns (account pseudonym, feature, outcome, day),
// counted inside the service; no mail, no address and no free text is within reach. The questions and the
// answers they can have are a closed list (catalogue.go): nobody can ask for another, nor for a part of the owners.
//
// For each calendar month in UTC there is one joint release of all answers:
//
//  1. The gate decides and records that the service counts.
//  2. The ledger gives the month's budget to this one computation. It is spent even if nothing comes of it.
//  3. Owners count whose mailbox has been connected for 30 days and whose consent holds now. One owner adds at most
//     1 to a cell and reaches at most six cells, whatever the owner does and however many mailboxes he has.
//  4. Each count gets discrete Laplace noise for an ε of 1 over all cells together. A cell stays only if at least
//     50 owners are really in it and the noised count passes a bar so high that a cell of exactly 50 passes
//     it with a probability of at most δ = 1e-6, again over all cells together.
//  5. A total stays only if every part of it does, so that no hidden part can be told by subtraction.
//  6. The event is in the decision log before the release is in the store. Reading gives the stored bytes.
//
// So the release is (1, 1e-6)-differentially private for an owner and a month, with a hard k of 50 on top. That
// the cells are hidden by the same noise that they would show, and not by a draw of their own, is what Google
// calls pre-thresholding; it costs no further ε. The noise is Google's (its granularity makes it safe from the
// low bits of floating point).
//
// A month in which nothing passes is closed as well, and looks the same whether the deployment has 49 owners
// or 50: even that is noised. With few more than 50 owners nothing is shown; a cell appears in one half of
// all months at about 140 owners, and nearly always at 170.
//
// A difference between two questions of a month (those who used the client less those who searched) is covered
// by the noise alone, like everything computed from released numbers.
//
// # Cost
//
// Once a month, one pass over the log by the index of each account, a page of events in memory: about 10 s for
// a million events on one core. A release is about 1 kB.
package aggregate
