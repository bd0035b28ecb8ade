// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

func (p *Pages) overviewRoutes() []route {
	return []route{get(home, NeedCompany, serveOverview)}
}

// serveOverview leads to the clients.
func serveOverview(v *visit) error {
	if v.it && v.of != "" {
		return v.see(clients + "?company=" + v.of)
	}
	return v.see(clients)
}
