# METADATA
# title: The decision
# description: |
#   Joins the floor and the rules. It belongs to the floor: it is embedded in the program, and no bundle
#   replaces it. The gate asks these two questions and no others.
# authors:
# - Webmail
# schemas:
# - input: schema.input
package webmail.decision

import data.webmail.access
import data.webmail.floor

# METADATA
# title: Basis
# description: Why the access is allowed; undefined when it is not.
# entrypoint: true
# custom: {clauses: [LU-USE-1]}
basis := access.basis if floor.admit

# METADATA
# title: Denials
# description: The clauses that refuse it, for people; empty exactly when `basis` is defined.
# entrypoint: true
denials := floor.denials | access.denials
