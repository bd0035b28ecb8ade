// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

// linkVariants are the pages around mailed links.
func linkVariants(f Frame) []variant {
	const who, link, back = "a.example@example.com", "/link/x", "https://cases.example.com/"
	all := []variant{
		{"forgot", Forgot{Frame: f, Action: "/flow/x/forgot", Back: "/flow/x/login"}},
		{"forgot/missing", Forgot{Frame: f, Action: "/flow/x/forgot", Back: "/flow/x/login", Username: who, Problem: "missing"}},
		{"forgot-sent", ForgotSent{Frame: f, Back: "/flow/x/login"}},
		{"password-set", PasswordSet{Frame: f, Back: back}},
		{"password-set/bare", PasswordSet{Frame: f}},
		{"setup-link", SetupLink{Frame: f, Action: link, Account: who}},
		{"setup-on", SetupOn{Frame: f, Back: back}},
		{"setup-on/bare", SetupOn{Frame: f}},
		{"not-me", NotMe{Frame: f, Action: link, Account: who}},
		{"not-me-done", NotMeDone{Frame: f}},
	}
	for _, problem := range []string{"", "short", "long", "common", "context"} {
		all = append(all,
			variant{"new-password/" + problem, NewPassword{Frame: f, Action: link, Account: who, Problem: problem}},
			variant{"new-password-other/" + problem, NewPassword{Frame: f, Action: link, Username: who, Problem: problem}},
			variant{"invited/" + problem, Invited{Frame: f, Action: link, Account: who, Person: "Anna", CompanyName: "Acme", Factor: true, Problem: problem}},
			variant{"invited-team/" + problem, Invited{Frame: f, Action: link, Account: who, Problem: problem}})
	}
	return all
}
