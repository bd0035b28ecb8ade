// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"github.com/lychgate/lychgate/pkg/oidc"
	"github.com/lychgate/lychgate/pkg/web"
)

var _ web.Engine = (*oidc.Provider)(nil)
