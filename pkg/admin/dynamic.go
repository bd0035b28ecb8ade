// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/throttle"
)

// Desk registers clients that come by themselves (RFC 7591, RFC 7592), on the same rules as all others. Its errors are
// *client.FieldError (also several, joined), client.ErrSize, ErrToken and ErrFull, *authn.WaitError, or wrap
// authn.ErrUnavailable.
type Desk struct {
	*Office
	Registrar client.Registrar
	Rules     client.Rules
	// Open needs no initial access token. Most is how many clients may have registered themselves, in all.
	Open bool
	Most int
	// Fetch reads the document of a sector_identifier_uri.
	Fetch func(ctx context.Context, url string) ([]byte, error)
}

// InitialToken makes an initial access token.
func (d *Desk) InitialToken(ctx context.Context, uses int, life time.Duration) (string, error) {
	if uses < 1 || uses > 1000 || life < time.Minute || life > 366*24*time.Hour {
		return "", errors.New("an initial access token is good for 1 to 1000 registrations and 1 minute to 366 days")
	}
	token, err := d.token("lgit_", 32)
	if err != nil {
		return "", err
	}
	return token, d.Registrar.AddInitial(ctx, token, uses, life)
}

// Register takes a client's own description (RFC 7591 §3). Nothing is registered if anything is wrong.
func (d *Desk) Register(ctx context.Context, initial, source string, raw []byte) (client.SelfRegistered, error) {
	if initial == "" && !d.Open {
		return client.SelfRegistered{}, client.ErrToken
	}
	c, given, err := d.described(ctx, raw)
	if err != nil {
		return client.SelfRegistered{}, err
	}
	if given != "" || c.ID != "" {
		return client.SelfRegistered{}, problem("client_secret", "and client_id are made here: remove them")
	}
	if err := d.room(ctx, initial, source); err != nil {
		return client.SelfRegistered{}, err
	}
	out := client.SelfRegistered{Client: c}
	if c.ID, err = d.token("lgcl_", 16); err != nil {
		return client.SelfRegistered{}, err
	}
	if c.KeepsSecret() {
		if out.Secret, err = d.newSecret(""); err != nil {
			return client.SelfRegistered{}, err
		}
		c.AddSecret(out.Secret, d.Digest, d.Now())
	}
	if out.Token, err = d.token("lgrt_", 32); err != nil {
		return client.SelfRegistered{}, err
	}
	c.Dynamic = &client.Dynamic{Token: d.Digest(out.Token), Issued: d.Now().Unix()}
	err = d.Registrar.Register(ctx, initial, c)
	if errors.Is(err, authn.ErrNotFound) {
		return client.SelfRegistered{}, client.ErrToken
	}
	if err != nil {
		return client.SelfRegistered{}, err
	}
	d.Audit.Event(ctx, audit.ClientRegistered, slog.String("client", c.ID))
	return out, nil
}

// room refuses a flood: what strangers may write is bounded, to 20 registrations an hour of one source at an open desk.
func (d *Desk) room(ctx context.Context, initial, source string) error {
	if initial == "" {
		limit := throttle.Limit{Kind: "dr", Free: 20, First: 3 * time.Minute, Per: time.Hour}
		if err := d.Counter.Charge(ctx, throttle.Guess{Limit: limit, Subject: source}); err != nil {
			return err
		}
	}
	all, err := d.Clients.Clients(ctx)
	if err != nil {
		return err
	}
	n := 0
	for _, c := range all {
		if c.Dynamic != nil {
			n++
		}
	}
	if n >= d.Most {
		return client.ErrFull
	}
	return nil
}

func problem(field, text string) error {
	return &client.FieldError{Field: field, Code: "invalid_client_metadata", Problem: text}
}

// described reads a description and holds it against all rules; secret is one that it holds.
func (d *Desk) described(ctx context.Context, raw []byte) (c *client.Client, secret string, err error) {
	reg, err := client.ParseDynamic(raw)
	if err != nil {
		return nil, "", err
	}
	c = reg.Client
	// The person is asked each time somebody new wants something, and is shown no more than was asked for.
	c.Evidence = client.EvidenceOff
	if !c.Public() && !d.Rules.PKCE {
		c.PKCE = client.PKCEOptional
	}
	if c.Scope == "" {
		client.Defaults(c)
		c.Scope = strings.Join(slices.DeleteFunc(c.Scopes(), func(s string) bool {
			return !slices.Contains(d.Rules.Scopes, s)
		}), " ")
	}
	client.Defaults(c)
	id := c.ID
	c.ID = "new"
	err = errors.Join(client.Validate(c), d.Rules.Check(c), d.sector(ctx, c))
	if slices.ContainsFunc(c.Scopes(), isAPIScope) {
		err = errors.Join(err, problem("scope", "cannot hold a scope of the API"))
	}
	c.ID = id
	return c, reg.Secret, err
}

// sector checks that the document of the sector holds every redirect_uri (OIDC Registration §5).
func (d *Desk) sector(ctx context.Context, c *client.Client) error {
	if c.SectorURI == "" {
		return nil
	}
	const field = "sector_identifier_uri"
	raw, err := d.Fetch(ctx, c.SectorURI)
	if err != nil {
		return problem(field, "cannot be read: it must be a JSON list at a public https address, without a redirect")
	}
	var list []string
	if err := json.Unmarshal(raw, &list); err != nil {
		return problem(field, "is not a JSON list of addresses")
	}
	for _, uri := range c.RedirectURIs {
		if !slices.Contains(list, uri) {
			return problem(field, "does not hold every redirect_uri")
		}
	}
	return nil
}

// Managed returns a client that registered itself, for who holds its registration access token.
func (d *Desk) Managed(ctx context.Context, id, token string) (client.SelfRegistered, error) {
	c, err := d.Clients.Client(ctx, id)
	if errors.Is(err, authn.ErrNotFound) || (err == nil && (c.Dynamic == nil || c.Disabled)) {
		// RFC 7592 §2.1: the same for one that was deleted and one that never was.
		return client.SelfRegistered{}, client.ErrToken
	}
	if err != nil {
		return client.SelfRegistered{}, err
	}
	if token == "" || subtle.ConstantTimeCompare([]byte(d.Digest(token)), []byte(c.Dynamic.Token)) != 1 {
		return client.SelfRegistered{}, client.ErrToken
	}
	return client.SelfRegistered{Client: c, Token: token}, nil
}

// Update replaces the whole description (RFC 7592 §2.2). Secrets and tokens stay, unless the new way to authenticate
// needs a secret that is not there; what an IT team has decided of the client (our own names) stays in any case.
func (d *Desk) Update(ctx context.Context, id, token string, raw []byte) (client.SelfRegistered, error) {
	before, err := d.Managed(ctx, id, token)
	if err != nil {
		return client.SelfRegistered{}, err
	}
	c, given, err := d.described(ctx, raw)
	if err != nil {
		return client.SelfRegistered{}, err
	}
	if c.ID != id {
		return client.SelfRegistered{}, problem("client_id", "must be the client's own")
	}
	if given != "" && !before.HasSecret(d.Digest(given), d.Now()) {
		return client.SelfRegistered{}, problem("client_secret", "is not the one in force, and cannot be chosen")
	}
	out := client.SelfRegistered{Client: c, Token: token}
	c.KeepPolicy(before.Client)
	switch {
	case !c.KeepsSecret():
	case len(before.Secrets) == 0, c.AuthMethod == client.AuthSecretJWT && before.Secrets[0].Plain == "":
		if out.Secret, err = d.newSecret(""); err != nil {
			return client.SelfRegistered{}, err
		}
		c.AddSecret(out.Secret, d.Digest, d.Now())
	default:
		c.KeepSecrets(before.Client)
	}
	err = d.Clients.ReplaceClient(ctx, c)
	if errors.Is(err, authn.ErrNotFound) {
		// Deleted meanwhile, and it stays so.
		return client.SelfRegistered{}, client.ErrToken
	}
	if err != nil {
		return client.SelfRegistered{}, err
	}
	d.Audit.Event(ctx, audit.ClientChanged, slog.String("client", id))
	return out, nil
}

// Delete removes a client that registered itself (RFC 7592 §2.3); its tokens are refused within a second.
func (d *Desk) Delete(ctx context.Context, id, token string) error {
	if _, err := d.Managed(ctx, id, token); err != nil {
		return err
	}
	if err := d.Clients.RemoveClient(ctx, id); err != nil {
		return fmt.Errorf("delete client: %w", err)
	}
	d.Audit.Event(ctx, audit.ClientRemoved, slog.String("client", id))
	return nil
}
