# Copyright The Lychgate Authors.
# SPDX-License-Identifier: Apache-2.0

"""A relying party on Authlib's Flask integration, as its documentation shows it."""

import os

from authlib.integrations.flask_client import OAuth
from flask import Flask, jsonify, redirect
from urllib.parse import urlencode
from werkzeug.serving import make_server

ISSUER, PORT = os.environ["ISSUER"], int(os.environ["PORT"])
OWN = f"http://127.0.0.1:{PORT}"
app = Flask(__name__)
app.secret_key = os.urandom(16)
oauth = OAuth(app)
oauth.register(
    "lychgate",
    server_metadata_url=ISSUER + "/.well-known/openid-configuration",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    client_kwargs={"scope": "openid profile email offline_access", "code_challenge_method": "S256"},
)
kept = {}


@app.get("/login")
def login():
    return oauth.lychgate.authorize_redirect(OWN + "/callback")


@app.get("/callback")
def callback():
    token = oauth.lychgate.authorize_access_token()
    kept["hint"] = token["id_token"]
    metadata = oauth.lychgate.load_server_metadata()
    with oauth.lychgate._get_oauth_client(**metadata) as session:
        fresh = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
    info = oauth.lychgate.userinfo(token=fresh)
    return jsonify(
        sub=info["sub"],
        email=info["email"],
        acr=token["userinfo"]["acr"],
        refreshed=fresh["access_token"] != token["access_token"],
    )


@app.get("/logout")
def logout():
    metadata = oauth.lychgate.load_server_metadata()
    query = urlencode({"id_token_hint": kept["hint"], "post_logout_redirect_uri": OWN + "/bye"})
    return redirect(metadata["end_session_endpoint"] + "?" + query)


@app.get("/bye")
def bye():
    return "bye"


server = make_server("127.0.0.1", PORT, app)
print("ready", flush=True)
server.serve_forever()
