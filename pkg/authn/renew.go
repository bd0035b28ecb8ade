// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package authn

import "context"

// Renewer puts password records into another form.
type Renewer interface {
	// Renew puts record, another record of the same password, in the place of the one that stood there when a was read.
	// The password is the same, so neither the epoch nor a generation moves: sessions, tokens and devices stay. ErrMoved,
	// and nothing is changed, if the password was changed meanwhile or the account is not active any more: the comparison
	// and the write are one. ErrUnavailable, ErrLost.
	Renew(ctx context.Context, a Account, record string) error
}
