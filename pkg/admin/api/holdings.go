// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"net/http"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
)

// HoldingActs is what a clerk does with what accounts have under way (admin.Clerk).
type HoldingActs interface {
	Holdings(ctx context.Context, id string) (admin.Holdings, error)
	EndSession(ctx context.Context, id, sessionID string) error
	ForgetDevice(ctx context.Context, id, deviceID string) error
	WithdrawApp(ctx context.Context, id, clientID string) error
}

// Authenticator is one enrolled factor, never its secret.
type Authenticator struct {
	ID    string    `json:"id"`
	Kind  string    `json:"kind"`
	Name  string    `json:"name,omitempty" doc:"What its person calls it"`
	Added time.Time `json:"added,omitzero"`
	Used  time.Time `json:"used,omitzero"`
}

// Device is a remembered browser.
type Device struct {
	ID    string    `json:"id"`
	Label string    `json:"label" doc:"Browser and system in words"`
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	Ends  time.Time `json:"ends,omitzero"`
}

// Session is a signed-in browser.
type Session struct {
	ID      string    `json:"id"`
	Label   string    `json:"label,omitempty" doc:"Browser and system in words"`
	Started time.Time `json:"started,omitzero"`
	Ends    time.Time `json:"ends,omitzero"`
}

// App is a client that may act for the account, or was allowed to.
type App struct {
	Client  string    `json:"client_id"`
	Scopes  []string  `json:"scopes" nullable:"false"`
	Since   time.Time `json:"since,omitzero" doc:"When its oldest grant was given; absent: there is a consent alone"`
	Offline bool      `json:"offline" doc:"Whether it can go on without the person"`
}

type authenticatorsOutput struct {
	Body struct {
		Authenticators []Authenticator `json:"authenticators" nullable:"false"`
		RecoveryLeft   int             `json:"recovery_codes_left"`
		Locked         bool            `json:"locked" doc:"Disabled by too many failures"`
	}
}

type devicesOutput struct {
	Body struct {
		Devices []Device `json:"devices" nullable:"false"`
	}
}

type sessionsOutput struct {
	Body struct {
		Sessions []Session `json:"sessions" nullable:"false"`
	}
}

type appsOutput struct {
	Body struct {
		Apps []App `json:"apps" nullable:"false"`
	}
}

// PartID names one of what an account has.
type PartID struct {
	AccountID
	Part string `path:"part_id" maxLength:"255" pattern:"^[!-\\-0-~][!-.0-~]*$" doc:"Its id, or the client_id of the app"`
}

func (a *API) addHoldings() {
	const one = "/api/v1/accounts/{account_id}"
	read := func(id, part, words string) spec {
		return spec{
			id: id, method: http.MethodGet, path: one + part, scope: ScopeAccountsRead, tag: "accounts", summary: words, status: http.StatusOK,
			traits: conflicts, more: "409 where the account is disabled, or changes just now.",
		}
	}
	end := func(id, part, words string) spec {
		return spec{
			id: id, method: http.MethodDelete, path: one + part + "/{part_id}", scope: ScopeAccountsWrite, tag: "accounts", summary: words,
			status: http.StatusNoContent, traits: conflicts, more: "It is harmless to repeat.",
		}
	}
	add(a, read("list_authenticators", "/authenticators", "List an account's authenticators"), a.listAuthenticators)
	add(a, read("list_devices", "/devices", "List an account's remembered devices"), a.listDevices)
	add(a, end("forget_device", "/devices", "Forget a remembered device"), func(ctx context.Context, c call, in *PartID) (*struct{}, error) {
		return nil, c.clerk.ForgetDevice(ctx, in.ID, in.Part)
	})
	add(a, read("list_sessions", "/sessions", "List an account's sessions"), a.listSessions)
	add(a, end("end_session", "/sessions", "End a session"), func(ctx context.Context, c call, in *PartID) (*struct{}, error) {
		return nil, c.clerk.EndSession(ctx, in.ID, in.Part)
	})
	add(a, read("list_apps", "/apps", "List the apps that have access to an account, or were allowed it"), a.listApps)
	add(a, end("withdraw_app", "/apps", "End an app's grants, and forget its consent"), func(ctx context.Context, c call, in *PartID) (*struct{}, error) {
		return nil, c.clerk.WithdrawApp(ctx, in.ID, in.Part)
	})
}

func (a *API) listAuthenticators(ctx context.Context, c call, in *AccountID) (*authenticatorsOutput, error) {
	h, err := c.clerk.Holdings(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &authenticatorsOutput{}
	out.Body.Authenticators, out.Body.RecoveryLeft, out.Body.Locked = []Authenticator{}, h.Factors.RecoveryLeft, h.Factors.Locked
	for _, f := range h.Factors.List {
		out.Body.Authenticators = append(out.Body.Authenticators, Authenticator{ID: f.ID, Kind: f.Kind, Name: f.Name, Added: f.Added.UTC(), Used: f.Used.UTC()})
	}
	return out, nil
}

func (a *API) listDevices(ctx context.Context, c call, in *AccountID) (*devicesOutput, error) {
	h, err := c.clerk.Holdings(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &devicesOutput{}
	out.Body.Devices = []Device{}
	for _, d := range h.Devices {
		out.Body.Devices = append(out.Body.Devices, Device{ID: d.ID, Label: d.Label, First: d.First.UTC(), Last: d.Last.UTC(), Ends: d.End.UTC()})
	}
	return out, nil
}

func (a *API) listSessions(ctx context.Context, c call, in *AccountID) (*sessionsOutput, error) {
	h, err := c.clerk.Holdings(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &sessionsOutput{}
	out.Body.Sessions = []Session{}
	for _, s := range h.Sessions {
		out.Body.Sessions = append(out.Body.Sessions, Session{ID: s.ID, Label: s.Label, Started: s.Started.UTC(), Ends: s.End.UTC()})
	}
	return out, nil
}

func (a *API) listApps(ctx context.Context, c call, in *AccountID) (*appsOutput, error) {
	h, err := c.clerk.Holdings(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &appsOutput{}
	out.Body.Apps = []App{}
	for _, s := range h.Apps {
		out.Body.Apps = append(out.Body.Apps, App{Client: s.ClientID, Scopes: append([]string{}, s.Scopes...), Since: s.Since.UTC(), Offline: s.Offline})
	}
	return out, nil
}
