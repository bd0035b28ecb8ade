// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package audit

import "slices"

// Names are all events, in alphabetical order: what the journal can be searched for.
func Names() []string {
	return slices.Sorted(slices.Values([]string{
		LoginAccepted, LoginRejected, LoginThrottled, FactorAccepted, FactorRejected, FactorLocked,
		FactorEnrolled, FactorSkipped, DeviceRemember, DeviceCopied, DeviceForgotten, FactorRemoved,
		FactorRenamed, RecoveryMade, AppWithdrawn, PasswordChanged, SignedOut, SessionStarted,
		SessionEnded, ConsentGiven, ConsentDenied, GrantIssued, GrantReuse, GrantLead,
		GrantRevoked, ClientRejected, ClientRegistered, ClientChanged, ClientRemoved, SecretMade,
		SecretEnded, SecretKept, ClientTried, AdminRefused, RedirectRefused, RecordLost,
		AccountChanged, AccountDeleted, PeopleImported, InvitationSent, InvitationWithdrawn, InvitationTaken,
		CompanyChanged, CompanyRemoved, DomainVerified, DeclarationChanged, FactorReset, FactorResetAsked,
		AuditLost, AuditExported, StoreSetUp, KeyRotated, OriginRefused, MailFailed,
		LogoutFailed, PasswordAsked, PasswordReset, SetupLinkAsked, SetupReminded, FactorDisowned,
	}))
}
