// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"

	"github.com/lychgate/lychgate/templates"
)

// Show answers with a page that is not one of the sign-in, under the headers of every page.
func (s *Site) Show(w http.ResponseWriter, r *http.Request, p templates.Page) {
	s.page(w, r, http.StatusOK, p)
}
