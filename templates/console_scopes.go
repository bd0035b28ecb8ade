// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

// ScopeWords is a scope with what a declaration says that it opens; without Words a scope that is known has its own, and
// another is called by its name. The consent page and the console show the same.
type ScopeWords struct{ Name, Words string }

// ConsoleScopes lists the scopes and roles that are declared, for IT teams. Totals count all pages.
type ConsoleScopes struct {
	Console
	Scopes                []ConsoleScope
	Roles                 []ConsoleRole
	ScopeTotal            int
	RoleTotal             int
	ScopesNext, RolesNext string
	// Done is "" or one of those in console-scopes.html.
	Done string
}

// Template implements Page.
func (ConsoleScopes) Template() string { return "console-scopes" }

// ConsoleScope is a scope in the list. Claims are as they are typed; IDToken: they stand in ID tokens too.
type ConsoleScope struct {
	ScopeWords
	Claims           []string
	BuiltIn, IDToken bool
}

// ConsoleRole is a role with what it means.
type ConsoleRole struct{ Name, Text string }

// ConsoleScopeInput is what was typed about a scope. Claims are one a line.
type ConsoleScopeInput struct {
	Tag, Name, EN, NL, Claims string
	IDToken                   bool
}

// ConsoleScopeForm declares a scope. Name is that of the scope that is changed; empty: a new one.
type ConsoleScopeForm struct {
	Console
	Action, Name string
	BuiltIn      bool
	In           ConsoleScopeInput
	// Problem is "" or "stale", "proof", as in ConsoleClientForm.
	Problem  string
	Problems []ConsoleProblem
}

// Template implements Page.
func (ConsoleScopeForm) Template() string { return "console-scope-form" }

// Wrong returns the problems of a field of the form.
func (f ConsoleScopeForm) Wrong(field string) []ConsoleProblem { return wrong(f.Problems, field) }

// ConsoleScopeRemove asks whether to remove a scope. Clients are some of the Total that hold it; BuiltIn: what is built in
// by its name is back then.
type ConsoleScopeRemove struct {
	Console
	Action, Name, Tag string
	BuiltIn           bool
	Clients           []ConsoleHolder
	Total             int
}

// Template implements Page.
func (ConsoleScopeRemove) Template() string { return "console-scope-remove" }

// More is how many clients are not named.
func (f ConsoleScopeRemove) More() int { return f.Total - len(f.Clients) }

// ConsoleHolder is a client that holds a scope.
type ConsoleHolder struct{ ID, Name string }

// ConsoleRoleForm declares a role. Name is that of the role that is changed; empty: a new one.
type ConsoleRoleForm struct {
	Console
	Action, Name string
	In           ConsoleRoleInput
	// Problem is "" or "stale", "proof", as in ConsoleClientForm.
	Problem  string
	Problems []ConsoleProblem
}

// Template implements Page.
func (ConsoleRoleForm) Template() string { return "console-role-form" }

// Wrong returns the problems of a field of the form.
func (f ConsoleRoleForm) Wrong(field string) []ConsoleProblem { return wrong(f.Problems, field) }

// ConsoleRoleInput is what was typed about a role.
type ConsoleRoleInput struct{ Tag, Name, Text string }

// ConsoleRoleRemove asks whether to remove a role.
type ConsoleRoleRemove struct {
	Console
	Action, Name, Tag string
}

// Template implements Page.
func (ConsoleRoleRemove) Template() string { return "console-role-remove" }

// ConsoleGrant is what a client may get by one scope. Opens is standard (OpenID Connect says what), claims (those in
// Claims), api (this server's REST API) or nothing.
type ConsoleGrant struct {
	ScopeWords
	Opens  string
	Claims []string
}
