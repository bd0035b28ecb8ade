// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// answer is what a registration request was told.
type answer struct {
	status int
	header http.Header
	json   map[string]any
}

func (a answer) text(name string) string {
	s, _ := a.json[name].(string)
	return s
}

// asks sends a JSON body, or none, with a bearer token, or none.
func asks(t *testing.T, method, address, token, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	out := answer{status: res.StatusCode, header: res.Header}
	_ = json.NewDecoder(res.Body).Decode(&out.json)
	return out
}

func registration(mode string, more ...func(*config.Registration)) idptest.Setup {
	return idptest.Setup{Change: func(c *config.Config) {
		c.Registration.Mode = mode
		c.Registration.GrantTypes = append(c.Registration.GrantTypes, "implicit")
		for _, f := range more {
			f(&c.Registration)
		}
	}}
}

func initial(t *testing.T, p *idptest.IDP, uses int) string {
	t.Helper()
	token, err := p.Node.Desk.InitialToken(t.Context(), uses, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

const described = `{"client_name":"Tide","redirect_uris":["https://tide.example.com/cb"],` +
	`"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"contacts":["it@tide.example.com"],` +
	`"initiate_login_uri":"https://tide.example.com/login","unknown_to_all":{"a":1}}`

// The whole life of a client that registers itself: registered, read, changed, used, deleted (RFC 7591, RFC 7592).
func TestClientRegistersItself(t *testing.T) { //nolint:gocognit // a life from beginning to end
	p := idptest.New(t, registration(config.RegistrationToken))
	token := initial(t, p, 1)
	got := asks(t, http.MethodPost, p.Issuer+"/register", token, described)
	if got.status != http.StatusCreated || got.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("register: %d %v", got.status, got.json)
	}
	id, secret, manage := got.text("client_id"), got.text("client_secret"), got.text("registration_access_token")
	uri := p.Issuer + "/register/" + id
	if !strings.HasPrefix(id, "lgcl_") || !strings.HasPrefix(secret, "lgcs_") || manage == "" || got.text("registration_client_uri") != uri ||
		got.json["client_secret_expires_at"] != 0.0 || got.json["client_id_issued_at"] != float64(p.Now().Unix()) ||
		got.text("token_endpoint_auth_method") != "client_secret_basic" || got.text("initiate_login_uri") == "" {
		t.Errorf("register: %v", got.json)
	}
	for name := range got.json {
		if strings.HasPrefix(name, "lychgate_") || name == "unknown_to_all" {
			t.Errorf("register tells of %s", name)
		}
	}
	if again := asks(t, http.MethodPost, p.Issuer+"/register", token, described); again.status != http.StatusUnauthorized {
		t.Errorf("the token a second time: %d %v", again.status, again.json)
	}
	c, err := p.Node.Office.Clients.Client(t.Context(), id)
	if err != nil || c.NeedsPKCE() || c.ShowsEvidence() || c.OwnApp() {
		t.Errorf("registered as %+v, %v", c, err)
	}

	read := asks(t, http.MethodGet, uri, manage, "")
	if read.status != http.StatusOK || read.text("client_name") != "Tide" || read.json["client_secret"] != nil || read.text("registration_access_token") != manage {
		t.Errorf("read: %d %v", read.status, read.json)
	}
	changed := maps.Clone(read.json)
	changed["client_name"], changed["redirect_uris"] = "Tide 2", []string{"https://tide.example.com/other"}
	body, err := json.Marshal(changed)
	if err != nil {
		t.Fatal(err)
	}
	if put := asks(t, http.MethodPut, uri, manage, string(body)); put.status != http.StatusOK || put.text("client_name") != "Tide 2" || put.json["client_secret"] != nil {
		t.Errorf("update with what was read: %d %v", put.status, put.json)
	}
	basic := func() int {
		req := httptest.NewRequest(http.MethodPost, p.Issuer+"/introspect", strings.NewReader("token=x"))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.SetBasicAuth(id, secret)
		res := httptest.NewRecorder()
		p.Node.Handler().ServeHTTP(res, req)
		return res.Code
	}
	if code := basic(); code != http.StatusOK {
		t.Errorf("with its secret after the update: %d", code)
	}
	for what, body := range map[string]map[string]any{
		"another secret": {"client_secret": strings.Repeat("x", 43)}, "another id": {"client_id": "lgcl_other"},
		"policy": {"lychgate_second_factor": "off"},
	} {
		other := maps.Clone(changed)
		maps.Copy(other, body)
		b, err := json.Marshal(other)
		if err != nil {
			t.Fatal(err)
		}
		if put := asks(t, http.MethodPut, uri, manage, string(b)); put.status != http.StatusBadRequest {
			t.Errorf("update with %s: %d %v", what, put.status, put.json)
		}
	}
	for what, bad := range map[string]answer{
		"no token":            asks(t, http.MethodGet, uri, "", ""),
		"another token":       asks(t, http.MethodGet, uri, "lgrt_x", ""),
		"the initial token":   asks(t, http.MethodDelete, uri, token, ""),
		"of another client":   asks(t, http.MethodGet, p.Issuer+"/register/nobody", manage, ""),
		"of a client of ours": asks(t, http.MethodDelete, p.Issuer+"/register/"+p.RP.ID, manage, ""),
		"a foreign client_id": asks(t, http.MethodPut, uri, "x", described),
	} {
		if bad.status != http.StatusUnauthorized || !strings.HasPrefix(bad.header.Get("WWW-Authenticate"), "Bearer ") {
			t.Errorf("%s: %d %v", what, bad.status, bad.json)
		}
	}
	if put := asks(t, http.MethodPut, uri, manage, described); put.status != http.StatusBadRequest {
		t.Errorf("an update without client_id: %d %v", put.status, put.json)
	}
	if gone := asks(t, http.MethodDelete, uri, manage, ""); gone.status != http.StatusNoContent {
		t.Errorf("delete: %d", gone.status)
	}
	if code := basic(); code != http.StatusUnauthorized {
		t.Errorf("with its secret after it was deleted: %d", code)
	}
	if read := asks(t, http.MethodGet, uri, manage, ""); read.status != http.StatusUnauthorized {
		t.Errorf("read after it was deleted: %d", read.status)
	}
}

// Bad descriptions are refused with the code of RFC 7591 §3.2.2 and the field's name, and nothing is registered.
func TestBadRegistrations(t *testing.T) {
	p := idptest.New(t, registration(config.RegistrationOpen, func(r *config.Registration) {
		r.RedirectHosts = []string{"tide.example.com", ".apps.example.com"}
	}))
	with := func(members string) string {
		return `{"redirect_uris":["https://tide.example.com/cb"],` + members + `}`
	}
	before := clients(t, p)
	for name, tt := range map[string]struct{ body, code, field string }{
		"fragment":          {`{"redirect_uris":["https://tide.example.com/cb#x"]}`, "invalid_redirect_uri", "redirect_uris"},
		"no address":        {`{"client_name":"x"}`, "invalid_redirect_uri", "redirect_uris"},
		"foreign host":      {`{"redirect_uris":["https://evil.example.com/cb"]}`, "invalid_redirect_uri", "redirect_uris"},
		"look-alike host":   {`{"redirect_uris":["https://eviltide.example.com/cb"]}`, "invalid_redirect_uri", "redirect_uris"},
		"the dot itself":    {`{"redirect_uris":["https://apps.example.com/cb"]}`, "invalid_redirect_uri", "redirect_uris"},
		"http login":        {with(`"initiate_login_uri":"http://tide.example.com/l"`), "invalid_client_metadata", "initiate_login_uri"},
		"grant":             {with(`"grant_types":["client_credentials"],"response_types":[]`), "invalid_redirect_uri", "redirect_uris"},
		"scope":             {with(`"scope":"openid admin"`), "invalid_client_metadata", "scope"},
		"no signature":      {with(`"id_token_signed_response_alg":"none"`), "invalid_client_metadata", "id_token_signed_response_alg"},
		"policy of ours":    {with(`"lychgate_company":"plain"`), "invalid_client_metadata", "lychgate_company"},
		"statement":         {with(`"software_statement":"a.b.c"`), "invalid_client_metadata", "software_statement"},
		"language":          {with(`"client_name#nl":"x"`), "invalid_client_metadata", "client_name#nl"},
		"type":              {with(`"contacts":"x"`), "invalid_client_metadata", "contacts"},
		"twice":             {with(`"client_name":"a","client_name":"b"`), "invalid_client_metadata", "client_name"},
		"private key":       {with(`"jwks":{"keys":[{"kty":"oct","k":"AA"}]}`), "invalid_client_metadata", "jwks"},
		"sector away":       {with(`"subject_type":"pairwise","sector_identifier_uri":"https://127.0.0.1/s"`), "invalid_client_metadata", "sector_identifier_uri"},
		"not an object":     {`["a"]`, "invalid_client_metadata", ""},
		"not JSON":          {`{`, "invalid_client_metadata", ""},
		"own secret":        {with(`"client_secret":"` + strings.Repeat("x", 43) + `"`), "invalid_client_metadata", "client_secret"},
		"own id":            {with(`"client_id":"mine"`), "invalid_client_metadata", "client_id"},
		"quotes in a value": {with(`"application_type":"\"x\\"`), "invalid_client_metadata", "application_type"},
	} {
		p.Advance(time.Hour)
		got := asks(t, http.MethodPost, p.Issuer+"/register", "", tt.body)
		text := got.text("error_description")
		if got.status != http.StatusBadRequest || got.text("error") != tt.code || !strings.Contains(text, tt.field) || strings.ContainsAny(text, "\"\\\n") {
			t.Errorf("%s: %d %v, want %s naming %q", name, got.status, got.json, tt.code, tt.field)
		}
	}
	if n := clients(t, p); n != before {
		t.Errorf("%d clients were registered all the same", n-before)
	}
	p.Advance(time.Hour)
	for uri, want := range map[string]int{"https://a.apps.example.com/cb": http.StatusCreated, "https://tide.example.com/cb": http.StatusCreated} {
		if got := asks(t, http.MethodPost, p.Issuer+"/register", "", `{"redirect_uris":["`+uri+`"]}`); got.status != want {
			t.Errorf("%s: %d %v", uri, got.status, got.json)
		}
	}
}

func clients(t *testing.T, p *idptest.IDP) int {
	t.Helper()
	all, err := p.Node.Office.Clients.Clients(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// Off is off; a token is needed where it is; an open desk holds a source to 20 an hour and everybody to a total.
func TestWhoMayRegister(t *testing.T) {
	for mode, want := range map[string]int{config.RegistrationOff: 404, config.RegistrationToken: 401, config.RegistrationOpen: 201} {
		p := idptest.New(t, registration(mode))
		if got := asks(t, http.MethodPost, p.Issuer+"/register", "", described); got.status != want {
			t.Errorf("%s: %d %v, want %d", mode, got.status, got.json, want)
		}
		doc := asks(t, http.MethodGet, p.Issuer+"/.well-known/openid-configuration", "", "")
		if _, there := doc.json["registration_endpoint"]; there != (mode != config.RegistrationOff) {
			t.Errorf("%s: registration_endpoint advertised %v", mode, there)
		}
	}
	p := idptest.New(t, registration(config.RegistrationOpen, func(r *config.Registration) { r.Most = 22 }))
	got := map[int]int{}
	for range 21 {
		got[asks(t, http.MethodPost, p.Issuer+"/register", "", described).status]++
	}
	if got[http.StatusCreated] != 20 || got[http.StatusTooManyRequests] != 1 {
		t.Errorf("21 in an hour: %v, want 20 and one refusal", got)
	}
	p.Advance(time.Hour)
	got = map[int]int{}
	for range 3 {
		got[asks(t, http.MethodPost, p.Issuer+"/register", "", described).status]++
	}
	if got[http.StatusCreated] != 2 || got[http.StatusForbidden] != 1 {
		t.Errorf("up to 22 in all: %v, want two more and one refusal", got)
	}
}

// A token of 5 uses is good for 5 registrations, however many try at once, on three nodes and a real Redis.
func TestInitialTokenUses(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	setup := registration(config.RegistrationToken)
	setup.Redis = []string{addr}
	p := idptest.New(t, setup)
	nodes := []*idptest.Node{p.Node, p.AddNode(t), p.AddNode(t)}
	token := initial(t, p, 5)
	var made atomic.Int64
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			if asks(t, http.MethodPost, "http://"+nodes[i%3].Addr+"/register", token, described).status == http.StatusCreated {
				made.Add(1)
			}
		})
	}
	all.Wait()
	if made.Load() != 5 {
		t.Errorf("%d registrations with a token of 5 uses", made.Load())
	}
}

// The document of a sector has to hold every redirect_uri (OIDC Registration §5); then its clients share subjects.
func TestSectorIdentifier(t *testing.T) {
	list := []string{"https://tide.example.com/cb"}
	source, file := tlsSource(t, func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(list)
	})
	setup := registration(config.RegistrationOpen)
	change := setup.Change
	setup.Change = func(c *config.Config) {
		change(c)
		c.OutgoingAllow, c.OutgoingCAFile = []string{source.Listener.Addr().String()}, file
	}
	p := idptest.New(t, setup)
	for uri, want := range map[string]int{list[0]: http.StatusCreated, "https://tide.example.com/other": http.StatusBadRequest} {
		body := fmt.Sprintf(`{"redirect_uris":[%q],"subject_type":"pairwise","sector_identifier_uri":%q}`, uri, source.URL+"/s")
		if got := asks(t, http.MethodPost, p.Issuer+"/register", "", body); got.status != want {
			t.Errorf("%s: %d %v, want %d", uri, got.status, got.json, want)
		}
	}
}

// Who signs in at such a client is told that nobody looked at it, and is asked each time for access without them.
func TestPeopleAreTold(t *testing.T) {
	p := idptest.New(t, registration(config.RegistrationOpen))
	rp := p.NewRP(t, "placeholder", func(c *client.Client) { c.PKCE = "optional" })
	body := fmt.Sprintf(`{"client_name":"Tide","redirect_uris":[%q],"grant_types":["authorization_code","refresh_token"]}`, rp.OAuth.RedirectURL)
	got := asks(t, http.MethodPost, p.Issuer+"/register", "", body)
	rp.ID = got.text("client_id")
	rp.OAuth.ClientID, rp.OAuth.ClientSecret = got.text("client_id"), got.text("client_secret")
	p.AddAccount(t, "ben", "plain")
	b := p.Browser(t)
	page := b.Get(t, rp.AuthURL(idptest.With("scope", "openid offline_access"))).Login(t, "ben", idptest.Password)
	if !strings.Contains(page.Body, "registered itself") {
		t.Errorf("consent page does not tell: %s", page.Body)
	}
	page = page.Submit(t, url.Values{"answer": {"allow"}})
	if tokens := rp.Exchange(t, page); tokens.RefreshToken == "" {
		t.Error("no refresh token after consent")
	}
	page = b.Get(t, rp.AuthURL(idptest.With("scope", "openid offline_access")))
	if !strings.Contains(page.Body, "registered itself") {
		t.Errorf("offline access a second time is not asked for: %s", page.Body)
	}
	if page = b.Get(t, rp.AuthURL(idptest.With("scope", "openid"))); strings.Contains(page.Body, "registered itself") {
		t.Errorf("consent that was given is asked for again: %s", page.Body)
	}
}

// tlsSource is a server with an authority of its own, and the file that names it.
func tlsSource(t *testing.T, h http.HandlerFunc) (*httptest.Server, string) {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	body := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return s, file
}

// A software statement of a trusted issuer counts before what the client says of itself (RFC 7591 §2.3); of nobody else,
// and where none is trusted, it is refused.
func TestSoftwareStatement(t *testing.T) {
	issuer, stranger := newAppKey(t, "i"), newAppKey(t, "i")
	file := filepath.Join(t.TempDir(), "issuers.json")
	body, err := json.Marshal(map[string]json.RawMessage{"https://maker.example": issuer.set(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
	trusting := func(r *config.Registration) { r.StatementKeysFile = file }
	p := idptest.New(t, registration(config.RegistrationOpen, trusting))
	claims := map[string]any{"iss": "https://maker.example", "client_name": "Tide by its maker", "software_id": "tide"}
	ask := func(p *idptest.IDP, statement string) answer {
		return asks(t, http.MethodPost, p.Issuer+"/register", "",
			fmt.Sprintf(`{"client_name":"Tide","redirect_uris":["https://tide.example.com/cb"],"software_statement":%q}`, statement))
	}
	good := issuer.sign(t, claims)
	if got := ask(p, good); got.status != http.StatusCreated || got.text("client_name") != "Tide by its maker" ||
		got.text("software_id") != "tide" || got.text("software_statement") != good || got.json["iss"] != nil {
		t.Errorf("trusted: %d %v", got.status, got.json)
	}
	expired := maps.Clone(claims)
	expired["exp"] = p.Now().Add(-time.Hour).Unix()
	foreign := maps.Clone(claims)
	foreign["iss"] = "https://other.example"
	for name, tt := range map[string]struct{ statement, code string }{
		"another key":    {stranger.sign(t, claims), "invalid_software_statement"},
		"expired":        {issuer.sign(t, expired), "invalid_software_statement"},
		"not trusted":    {issuer.sign(t, foreign), "unapproved_software_statement"},
		"not a JWT":      {"a.b.c", "invalid_software_statement"},
		"policy of ours": {issuer.sign(t, map[string]any{"iss": "https://maker.example", "lychgate_company": "plain"}), "invalid_client_metadata"},
	} {
		if got := ask(p, tt.statement); got.status != http.StatusBadRequest || got.text("error") != tt.code {
			t.Errorf("%s: %d %v, want %s", name, got.status, got.json, tt.code)
		}
	}
	if got := ask(idptest.New(t, registration(config.RegistrationOpen)), good); got.status != http.StatusBadRequest {
		t.Errorf("where none is trusted: %d %v", got.status, got.json)
	}
}

// What an IT team has decided of a client that registered itself stays when the client describes itself anew.
func TestUpdateKeepsPolicy(t *testing.T) {
	p := idptest.New(t, registration(config.RegistrationOpen))
	got := asks(t, http.MethodPost, p.Issuer+"/register", "", described)
	c, err := p.Node.Office.Clients.Client(t.Context(), got.text("client_id"))
	if err != nil {
		t.Fatal(err)
	}
	decided := *c
	decided.Company, decided.SecondFactor, decided.PKCE, decided.Roles = "acme", "always", client.PKCERequired, []string{"clerk"}
	if err := p.Node.Office.Clients.PutClient(t.Context(), &decided); err != nil {
		t.Fatal(err)
	}
	body := strings.Replace(described, "{", `{"client_id":"`+c.ID+`",`, 1)
	if put := asks(t, http.MethodPut, got.text("registration_client_uri"), got.text("registration_access_token"), body); put.status != http.StatusOK {
		t.Fatalf("update: %d %v", put.status, put.json)
	}
	after, err := p.Node.Office.Clients.Client(t.Context(), c.ID)
	if err != nil || after.Company != "acme" || after.SecondFactor != "always" || !after.NeedsPKCE() || len(after.Roles) != 1 || after.Dynamic == nil {
		t.Errorf("after the update: %+v, %v", after, err)
	}
}

// A client that registered itself and is not used for 30 days goes; one that is used stays, on whatever node, and so do
// the clients of IT teams.
func TestUnusedClientsGo(t *testing.T) {
	p := idptest.New(t, registration(config.RegistrationOpen))
	rp := p.NewRP(t, "placeholder", func(c *client.Client) { c.PKCE = "optional" })
	other := p.AddNode(t)
	register := func() string {
		body := fmt.Sprintf(`{"client_name":"Tide","redirect_uris":[%q]}`, rp.OAuth.RedirectURL)
		return asks(t, http.MethodPost, p.Issuer+"/register", "", body).text("client_id")
	}
	used, unused := register(), register()
	p.AddAccount(t, "ben", "plain")
	there := func(id string) bool {
		_, err := p.Node.Office.Clients.Client(t.Context(), id)
		return err == nil
	}
	for range 3 {
		p.Advance(20 * 24 * time.Hour)
		rp.OAuth.ClientID = used
		b := p.BrowserAt(t, other)
		page := b.Get(t, rp.AuthURL()).Login(t, "ben", idptest.Password)
		if page.Find("button[value=allow]").Length() == 1 {
			page = page.Submit(t, url.Values{"answer": {"allow"}})
		}
		if !strings.HasPrefix(page.URL.String(), rp.URL) {
			t.Fatalf("the sign-in ended at %s: %s", page.URL, page.Body)
		}
		for _, n := range []*idptest.Node{other, p.Node} {
			if err := n.TidyClients(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !there(used) || there(unused) || !there(rp.ID) || !there(p.RP.ID) {
		t.Errorf("used there %v, unused there %v, of IT teams there %v %v", there(used), there(unused), there(rp.ID), there(p.RP.ID))
	}
}
