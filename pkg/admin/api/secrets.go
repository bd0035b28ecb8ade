// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"net/http"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/client"
)

// SecretActs is what a clerk does for the secrets of clients (admin.Clerk).
type SecretActs interface {
	NewSecret(ctx context.Context, id string, ends time.Time) (admin.Registered, error)
	KeepSecret(ctx context.Context, id, secret string, ends time.Time) error
	EndSecret(ctx context.Context, id, secret string) error
}

// Secret is a secret as it is listed: enough to tell it from others.
type Secret struct {
	ID   string    `json:"id" doc:"Names the secret; it opens nothing"`
	Hint string    `json:"hint,omitempty" doc:"Its last four characters"`
	Made time.Time `json:"made,omitzero"`
	Ends time.Time `json:"ends,omitzero" doc:"From when it is refused; absent: when another takes its place"`
}

func secretOf(s client.Secret) Secret {
	out := Secret{ID: s.ID(), Hint: s.Hint}
	if s.Made != 0 {
		out.Made = time.Unix(s.Made, 0).UTC()
	}
	if s.Ends != 0 {
		out.Ends = time.Unix(s.Ends, 0).UTC()
	}
	return out
}

type secretListOutput struct {
	Body struct {
		Secrets []Secret `json:"secrets" nullable:"false"`
	}
}

type newSecretInput struct {
	ClientID
	KeyInput
	Body struct {
		Ends time.Time `json:"ends,omitzero" required:"false" doc:"When the secret before ends; absent: when the next is made. What is older ends now."`
	}
}

type newSecretOutput struct {
	Location string `header:"Location"`
	Body     NewSecret
}

// NewSecret is a secret in the one answer that shows it.
type NewSecret struct {
	Client string `json:"client_id"`
	Secret
	Value     string `json:"client_secret" doc:"Shown this once"`
	ExpiresAt int64  `json:"client_secret_expires_at" doc:"Always 0: it does not end by itself"`
}

type secretID struct {
	ClientID
	Secret string `path:"secret_id" minLength:"8" maxLength:"8" pattern:"^[0-9a-f]+$" doc:"The id of the secret"`
}

func (a *API) addSecrets() {
	const tag, path, one = "clients", "/api/v1/clients/{client_id}/secrets", "/api/v1/clients/{client_id}/secrets/{secret_id}"
	add(a, spec{
		id: "list_secrets", method: http.MethodGet, path: path, scope: ScopeClientsRead, tag: tag, summary: "List a client's secrets",
		status: http.StatusOK, more: "Those in force, the newest first; never the secrets themselves.",
	}, a.listSecrets)
	add(a, spec{
		id: "create_secret", method: http.MethodPost, path: path, scope: ScopeClientsWrite, tag: tag, summary: "Make a new secret",
		status: http.StatusCreated, traits: hasBody | creates,
		more: "Two are in force at once, so that the app can be changed over. " + keyWords,
	}, a.newSecret)
	add(a, spec{
		id: "end_secret", method: http.MethodDelete, path: one, scope: ScopeClientsWrite, tag: tag, summary: "End a secret",
		status: http.StatusNoContent, more: "It is refused within a second. The last one can be ended too.",
	}, a.endSecret)
}

func (a *API) listSecrets(ctx context.Context, c call, in *ClientID) (*secretListOutput, error) {
	x, err := c.clerk.Client(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &secretListOutput{}
	out.Body.Secrets = []Secret{}
	for _, s := range x.Secrets {
		if !s.Ended(a.cfg.Now()) {
			out.Body.Secrets = append(out.Body.Secrets, secretOf(s))
		}
	}
	return out, nil
}

func (a *API) newSecret(ctx context.Context, c call, in *newSecretInput) (*newSecretOutput, error) {
	if err := c.reaches(ctx, in.ID); err != nil {
		return nil, err
	}
	made, err := c.clerk.NewSecret(ctx, in.ID, in.Body.Ends)
	if err != nil {
		return nil, err
	}
	s := secretOf(made.Secrets[0])
	return &newSecretOutput{
		Location: address("clients", in.ID, "secrets", s.ID), Body: NewSecret{Client: in.ID, Secret: s, Value: made.Secret},
	}, nil
}

func (a *API) endSecret(ctx context.Context, c call, in *secretID) (*struct{}, error) {
	if err := c.reaches(ctx, in.ID); err != nil {
		return nil, err
	}
	return nil, c.clerk.EndSecret(ctx, in.ID, in.Secret)
}

// reaches refuses a client that may do more at this API than the token.
func (c call) reaches(ctx context.Context, id string) error {
	x, err := c.clerk.Client(ctx, id)
	if err != nil {
		return err
	}
	return c.mayGrant(x)
}
