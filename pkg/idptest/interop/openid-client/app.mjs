// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// A relying party on openid-client, as its README shows it.
import { createServer } from 'node:http'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env
const own = `http://127.0.0.1:${PORT}`
const config = await client.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, client.ClientSecretBasic(CLIENT_SECRET),
  { execute: [client.allowInsecureRequests] })
let pending
let idToken

async function login(res) {
  const verifier = client.randomPKCECodeVerifier()
  pending = { pkceCodeVerifier: verifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() }
  const to = client.buildAuthorizationUrl(config, {
    redirect_uri: `${own}/callback`, scope: 'openid profile email offline_access', state: pending.expectedState,
    nonce: pending.expectedNonce, code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  })
  res.writeHead(303, { location: to.href }).end()
}

async function callback(url, res) {
  const tokens = await client.authorizationCodeGrant(config, url, pending)
  idToken = tokens.id_token
  const claims = tokens.claims()
  const fresh = await client.refreshTokenGrant(config, tokens.refresh_token)
  const info = await client.fetchUserInfo(config, fresh.access_token, claims.sub)
  res.end(JSON.stringify({
    sub: info.sub, email: info.email, acr: claims.acr, refreshed: fresh.access_token !== tokens.access_token,
  }))
}

createServer(async (req, res) => {
  const url = new URL(req.url, own)
  try {
    if (url.pathname === '/login') return await login(res)
    if (url.pathname === '/callback') return await callback(url, res)
    if (url.pathname === '/logout') {
      const to = client.buildEndSessionUrl(config, { post_logout_redirect_uri: `${own}/bye`, id_token_hint: idToken })
      return res.writeHead(303, { location: to.href }).end()
    }
    res.end('bye')
  } catch (err) {
    console.error(err)
    res.writeHead(500).end(String(err))
  }
}).listen(Number(PORT), '127.0.0.1', () => console.log('ready'))
