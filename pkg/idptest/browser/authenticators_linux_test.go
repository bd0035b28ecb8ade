// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/sys/unix"

	"github.com/lychgate/lychgate/pkg/idptest"
)

// authenticator is a program that is not ours and makes codes.
type authenticator struct {
	name string
	// code adds the account of an otpauth address and returns the code for now.
	code func(t *testing.T, uri *url.URL) string
}

func authenticators() []authenticator {
	return []authenticator{{"oathtool", oathtool}, {"KeePassXC", keepassxc}, {"OTPClient", otpclient}}
}

// TestAuthenticators is J3 to J5 in real time: the QR code, read off a screenshot of a phone's size, makes the same
// codes in programs that are not ours, and such a code sets the account up and is spent.
func TestAuthenticators(t *testing.T) {
	w := newWorld(t, idptest.Setup{RealClock: true})
	b := w.open(t, phone())
	b.begin()
	b.password(bert)
	b.want(200, "Secure your account")
	uri := b.scan()
	if got, want := uri.Query().Get("secret"), strings.ReplaceAll(b.key(), " ", ""); got != want {
		t.Fatalf("secret of the QR code = %q, want the key beside it, %q", got, want)
	}
	if got := eval[string](b, `document.querySelector("a[href^='otpauth://totp/']").href`); got != uri.String() {
		t.Errorf("link of the page = %q, want what the QR code says, %q", got, uri)
	}
	wantParameters(t, uri)
	code := agreed(t, uri)
	b.code(code)
	b.want(200, "Set-up complete")
	b.saved("Continue")
	b.wantApp()

	other := w.open(t, desktop())
	other.begin()
	other.password(bert)
	other.want(200, "Enter your code")
	other.code(code)
	other.want(200, "Enter your code")
	const used = "That code did not work. Codes can be used once and change every 30 seconds. Wait for the next one."
	if got := other.text("[role=alert]"); got != used {
		t.Errorf("alert after the set-up code = %q, want %q", got, used)
	}
	// The code of the next step is good already: a phone's clock may be ahead.
	other.code(idptest.CodeOf(t, idptest.SecretOf(t, uri.Query().Get("secret")), time.Now().Add(30*time.Second)))
	other.wantApp()
}

// wantParameters: what every app on the list takes.
func wantParameters(t *testing.T, uri *url.URL) {
	t.Helper()
	q := uri.Query()
	if len(q.Get("secret")) != 32 {
		t.Errorf("secret of %d letters, want 32 (160 bits)", len(q.Get("secret")))
	}
	if got, want := uri.Path, "/"+q.Get("issuer")+":"+bert; got != want {
		t.Errorf("label = %q, want %q", got, want)
	}
	for name, want := range map[string]string{"algorithm": "SHA1", "digits": "6", "period": "30"} {
		if got := q.Get(name); got != "" && got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

// agreed returns the code that all programs make, in one and the same step.
func agreed(t *testing.T, uri *url.URL) string {
	t.Helper()
	for range 3 {
		step := time.Now().Unix() / 30
		codes := map[string]string{}
		for _, a := range authenticators() {
			codes[a.name] = a.code(t, uri)
		}
		if time.Now().Unix()/30 != step {
			continue
		}
		for name, code := range codes {
			if code != codes["oathtool"] || !regexp.MustCompile(`^[0-9]{6}$`).MatchString(code) {
				t.Fatalf("code of %s = %q, want the same six digits of all: %v", name, code, codes)
			}
		}
		return codes["oathtool"]
	}
	t.Fatal("the step rolled over three times")
	return ""
}

// scan takes a picture of the page and reads the QR code in it.
func (b *tab) scan() *url.URL {
	b.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "page.png")
	if err := os.WriteFile(file, picture, 0o600); err != nil {
		b.Fatal(err)
	}
	read := strings.TrimSpace(program(b.T, "", "zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", file))
	uri, err := url.Parse(read)
	if err != nil || uri.Scheme != "otpauth" || uri.Host != "totp" {
		b.Fatalf("QR code = %q, want otpauth://totp/…", read)
	}
	return uri
}

// program runs a program with a home of its own and returns what it prints.
func program(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "LC_ALL=C.UTF-8", "QT_QPA_PLATFORM=offscreen")
	cmd.Stdin = strings.NewReader(stdin)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s%s", name, err, out, errs.String())
	}
	return string(out)
}

func oathtool(t *testing.T, uri *url.URL) string {
	t.Helper()
	return strings.TrimSpace(program(t, uri.Query().Get("secret"), "oathtool", "--totp", "--base32", "-"))
}

// keepassxc puts the otpauth address into a new database, as the program itself keeps it.
func keepassxc(t *testing.T, uri *url.URL) string {
	t.Helper()
	var text bytes.Buffer
	if err := xml.EscapeText(&text, []byte(uri.String())); err != nil {
		t.Fatal(err)
	}
	export := fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<KeePassFile><Meta/><Root><Group><UUID>AAAAAAAAAAAAAAAAAAAAAQ==</UUID><Name>Root</Name>
<Entry><UUID>AAAAAAAAAAAAAAAAAAAAAg==</UUID><String><Key>Title</Key><Value>account</Value></String>
<String><Key>otp</Key><Value>%s</Value></String></Entry></Group></Root></KeePassFile>`, text.String())
	dir := t.TempDir()
	file, db := filepath.Join(dir, "export.xml"), filepath.Join(dir, "codes.kdbx")
	if err := os.WriteFile(file, []byte(export), 0o600); err != nil {
		t.Fatal(err)
	}
	program(t, "for the test\nfor the test\n", "keepassxc-cli", "import", "-q", "-p", file, db)
	return strings.TrimSpace(program(t, "for the test\n", "keepassxc-cli", "show", "-q", "-t", db, "account"))
}

// otpclient writes the program's own kind of database (it has no import on the command line) and types the password
// into a terminal, which it insists on.
func otpclient(t *testing.T, uri *url.URL) string {
	t.Helper()
	const password = "for the test"
	home := t.TempDir()
	label := strings.TrimPrefix(uri.Path, "/"+uri.Query().Get("issuer")+":")
	entry, err := json.Marshal([]map[string]any{{
		"type": "TOTP", "label": label, "issuer": uri.Query().Get("issuer"), "secret": uri.Query().Get("secret"),
		"digits": 6, "algo": "SHA1", "period": 30,
	}})
	if err != nil {
		t.Fatal(err)
	}
	db := filepath.Join(home, "codes.enc")
	if err := os.WriteFile(db, otpclientDatabase(t, entry, password), 0o600); err != nil {
		t.Fatal(err)
	}
	config := "[config]\ndb_path=" + db + "\nuse_secret_service=false\n"
	if err := os.WriteFile(filepath.Join(home, "otpclient.cfg"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "otpclient-cli", "show", "-a", label, "-m")
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "LC_ALL=C.UTF-8")
	out := atTerminal(t, cmd, password)
	m := regexp.MustCompile(`Current TOTP .*: ([0-9]+)`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("otpclient-cli says %q, want a code", out)
	}
	return m[1]
}

// otpclientDatabase is OTPClient 3.1's file: IV, salt, AES-256-GCM of the JSON with a closing zero byte, tag; the key
// by PBKDF2 of the password with a closing zero byte.
func otpclientDatabase(t *testing.T, entries []byte, password string) []byte {
	t.Helper()
	header := make([]byte, 16+32)
	if _, err := rand.Read(header); err != nil {
		t.Fatal(err)
	}
	key, err := pbkdf2.Key(sha512.New, password+"\x00", header[16:], 100_000, 32)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCMWithNonceSize(block, 16)
	if err != nil {
		t.Fatal(err)
	}
	return gcm.Seal(header, header[:16], append(entries, 0), header[:48])
}

// atTerminal runs cmd at a terminal and types a line once it has turned echoing off, for what was typed before is
// thrown away.
func atTerminal(t *testing.T, cmd *exec.Cmd, line string) string {
	t.Helper()
	master, slave := terminal(t)
	defer master.Close()
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = slave.Close()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for echoes(t, master) {
		select {
		case err := <-ended:
			t.Fatalf("%s: %v: %s", cmd.Path, err, out.String())
		case <-tick.C:
		}
	}
	if _, err := io.WriteString(master, line+"\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatalf("%s: %v: %s", cmd.Path, err, out.String())
	}
	return out.String()
}

// terminal opens a pseudo terminal.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}

func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}
