// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

func invitationVariants(f Frame) []variant {
	list := ConsoleInvitations{
		Console: consoleFrame(f), Chosen: "example", Total: 2, Next: "/admin/invitations?after=x",
		Rows: []ConsoleInvitation{
			{ID: "1", Email: "b@example.com", Name: "B", Admin: "company", Groups: []string{"Lawyers", "Clerks"}, Sent: someday(), Ends: someday()},
			{ID: "2", Email: "c@example.com", Sent: someday(), Ends: someday(), Ended: true},
		},
	}
	none := ConsoleInvitations{Console: consoleFrame(f), Chosen: "example"}
	choose := ConsoleInvitations{Console: consoleFrame(f), IT: true, Companies: [][2]string{{"example", "Example"}}}
	all := []variant{{"console-invitations/none", none}, {"console-invitations/choose", choose}}
	for _, d := range []string{"", "sent", "resent", "withdrawn", "gone", "mute"} {
		list.Done = d
		all = append(all, variant{"console-invitations/" + d, list})
	}
	form := ConsoleInvite{
		Console: consoleFrame(f), Action: "/admin/invitations/x/new", Cancel: "/admin/invitations", Name: "Example", Admins: []string{"", "company"},
		In: ConsolePersonInput{Lang: "nl"}, Groups: []ConsoleTick{{ID: "lawyers", Name: "Lawyers"}},
	}
	for _, problem := range []string{"", "proof", "mute", "full"} {
		form.Problem, form.In.Lang = problem, "en"
		all = append(all, variant{"console-invite/" + problem, form})
	}
	wrong := form
	wrong.Problem = ""
	for _, field := range []string{"email", "name", "language", "groups", "roles", "admin"} {
		wrong.Problems = append(wrong.Problems, ConsoleProblem{Field: field, Kind: "address"})
	}
	return append(append(all, variant{"console-invite/wrong", wrong}), fileVariants(f)...)
}

func fileVariants(f Frame) []variant {
	file := ConsoleInviteFile{
		Console: consoleFrame(f), Action: "/admin/invitations/x/file", Send: "/admin/invitations/x/send", Cancel: "/admin/invitations", Name: "Example",
		Text: "a@example.com", Groups: []ConsoleTick{{ID: "lawyers", Name: "Lawyers"}, {ID: "x", Name: "x"}},
	}
	all := []variant{}
	for _, problem := range []string{"", "size", "lines", "text", "header", "empty"} {
		file.Problem = problem
		all = append(all, variant{"console-invite-file/" + problem, file})
	}
	file.Problem, file.Groups, file.Good, file.Bad = "", nil, 1, 2
	file.Rows = []ConsoleInviteLine{{Line: "1", Email: "a@example.com", Name: "A", Groups: "x", Roles: "y", Lang: "nl"}, {Line: "2", Problems: []ConsoleProblem{{Kind: "address"}, {Kind: "unsent"}, {Kind: "mute"}}}}
	preview, bad, sent := file, file, file
	preview.Step, bad.Step, sent.Step, bad.Good = "preview", "preview", "sent", 0
	return append(all, variant{"console-invite-file/preview", preview}, variant{"console-invite-file/bad", bad}, variant{"console-invite-file/sent", sent})
}
