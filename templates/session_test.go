// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// TestSessionCheckScript: what the frame answers, for each thing that an app may say and each cookie. It is run by Node.
func TestSessionCheckScript(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("%v: make test installs it", err)
	}
	s := mustParse(t)
	script, _, _, ok := s.Static("session-check.js")
	if !ok || !strings.Contains(string(s.SessionCheck()), `<script src="`+s.StaticPath("session-check.js")+`"></script>`) {
		t.Fatalf("page %s", s.SessionCheck())
	}
	const app = "https://app.example.com"
	sum := sha256.Sum256([]byte("app " + app + " STATE salt"))
	right := "app " + base64.RawURLEncoding.EncodeToString(sum[:]) + ".salt"
	type ask struct{ Data, Origin, Cookie, Want string }
	asks := []ask{
		{right, app, "a=b; __Host-lg_ss=STATE; c=d", "unchanged"},
		{right, app, "__Host-lg_ss=OTHER", "changed"},
		{right, app, "", "changed"},
		{right, app, "lg_ss=STATE; x__Host-lg_ss=STATE", "changed"},
		{right, "https://evil.example.com", "__Host-lg_ss=STATE", "changed"},
		{strings.Replace(right, "app", "other", 1), app, "__Host-lg_ss=STATE", "changed"},
		{strings.Replace(right, ".salt", ".pepper", 1), app, "__Host-lg_ss=STATE", "changed"},
		{"", app, "__Host-lg_ss=STATE", "error"},
		{"app", app, "__Host-lg_ss=STATE", "error"},
		{"app x", app, "__Host-lg_ss=STATE", "error"},
		{right + " more", app, "__Host-lg_ss=STATE", "error"},
		{" " + right, app, "__Host-lg_ss=STATE", "error"},
		{right, "null", "__Host-lg_ss=STATE", "silence"},
	}
	in, err := json.Marshal(asks)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, "-e", `
let hear; globalThis.addEventListener = (_, f) => { hear = f; }; globalThis.document = {};
(0, eval)(process.argv[1]);
(async () => {
  const out = [];
  for (const a of JSON.parse(process.argv[2])) {
    document.cookie = a.Cookie;
    let said = "silence";
    await hear({data: a.Data, origin: a.Origin, source: {postMessage: (m, to) => { said = to === a.Origin ? m : "to " + to; }}});
    out.push(said);
  }
  console.log(JSON.stringify(out));
})();`, string(script), string(in))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var got []string
	if err := json.Unmarshal(out, &got); err != nil || len(got) != len(asks) {
		t.Fatalf("%v: %s", err, out)
	}
	for i, a := range asks {
		if got[i] != a.Want {
			t.Errorf("%+v: %s", a, got[i])
		}
	}
}

// TestSignedOutFrames: the page signs out of each app by a frame, says so and where it leads, and has the way on as a
// button too.
func TestSignedOutFrames(t *testing.T) {
	s := mustParse(t)
	frames := []string{"https://mail.example.com/bye?iss=https%3A%2F%2Fid.example&sid=a-b_c", "https://files.example.com/bye"}
	for lang, want := range map[string]string{
		"en": "You are being signed out of 2 apps as well. You go back to Cases in a few seconds.",
		"nl": "U wordt ook uitgelogd bij 2 apps. U gaat over een paar seconden terug naar Cases.",
	} {
		doc, _ := render(t, s, SignedOut{Frame: Frame{Lang: lang, Client: "Cases"}, Back: "https://cases.example.com/bye?state=s", LeadsOn: true, Frames: frames})
		var got []string
		doc.Find("iframe[hidden]").Each(func(_ int, el *goquery.Selection) { got = append(got, el.AttrOr("src", "")) })
		if strings.Join(got, " ") != strings.Join(frames, " ") || !strings.Contains(doc.Find("main").Text(), want) {
			t.Errorf("%s: frames %v, %s", lang, got, doc.Find("main").Text())
		}
		if to := doc.Find("main a.button").AttrOr("href", ""); to != "https://cases.example.com/bye?state=s" {
			t.Errorf("%s: the way on is %q", lang, to)
		}
	}
	doc, _ := render(t, s, SignedOut{Frame: Frame{Lang: "en"}, Frames: []string{"javascript:alert(1)"}})
	if src := doc.Find("iframe").AttrOr("src", ""); strings.Contains(src, "javascript") {
		t.Errorf("a frame with a script: %q", src)
	}
}
