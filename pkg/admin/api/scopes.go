// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

// The scopes of the API. Each is for one kind of thing and for reading or writing alone.
const (
	ScopeClientsRead    = "clients:read"
	ScopeClientsWrite   = "clients:write"
	ScopeCompaniesRead  = "companies:read"
	ScopeCompaniesWrite = "companies:write"
	ScopePoliciesRead   = "policies:read"
	ScopePoliciesWrite  = "policies:write"
	ScopeAccountsRead   = "accounts:read"
	ScopeAccountsWrite  = "accounts:write"
	ScopeScopesRead     = "scopes:read"
	ScopeScopesWrite    = "scopes:write"
	ScopeKeysRead       = "keys:read"
	ScopeKeysWrite      = "keys:write"
	ScopeAuditRead      = "audit:read"
)

// Scopes are all scopes with what each allows.
func Scopes() [][2]string {
	return [][2]string{
		{ScopeClientsRead, "Read clients"},
		{ScopeClientsWrite, "Register, change and remove clients, and make secrets"},
		{ScopeCompaniesRead, "Read companies, their groups and mail domains"},
		{ScopeCompaniesWrite, "Add, change and remove companies, groups and mail domains"},
		{ScopePoliciesRead, "Read what companies want of the second factor"},
		{ScopePoliciesWrite, "Change what companies want of the second factor"},
		{ScopeAccountsRead, "Read accounts, and what they have under way"},
		{ScopeAccountsWrite, "Change, disable and delete accounts, end sessions and access, reset second factors"},
		{ScopeScopesRead, "Read which scopes and roles are declared"},
		{ScopeScopesWrite, "Declare, change and remove scopes and roles"},
		{ScopeKeysRead, "Read which signing keys there are"},
		{ScopeKeysWrite, "Rotate signing keys"},
		{ScopeAuditRead, "Read the journal of security events"},
	}
}
